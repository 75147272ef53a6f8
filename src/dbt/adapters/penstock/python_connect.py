"""Python models over Spark Connect: run `model(dbt, session)` here, its work on the server.

Each model has a session of its own, tagged with its dbt node, so that Spark's UI names its jobs
and one model's settings never reach another. Nothing is written unless the whole model ran; the
write itself is one atomic replacement on Delta.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from dbt.adapters.base import PythonJobHelper
from dbt.adapters.events.logging import AdapterLogger
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.connections import managed_server
from dbt.adapters.penstock.credentials import PenstockCredentials

logger = AdapterLogger("penstock")


def leading_blank_lines(text: str) -> int:
    """How many lines before the first one with something in it."""
    return next((number for number, line in enumerate(text.split("\n")) if line.strip()), 0)


class ConnectPythonJobHelper(PythonJobHelper):
    """`submission_method: connect`."""

    def __init__(self, parsed_model: dict[str, Any], credential: PenstockCredentials) -> None:
        self.node = parsed_model
        self.credentials = credential

    def url(self) -> str:
        """The server's Spark Connect address.

        Raises:
            DbtRuntimeError: a remote server without `connect_url` in the profile.
        """
        if self.credentials.connect_url:
            return self.credentials.connect_url
        if not self.credentials.managed:
            raise DbtRuntimeError(
                f"needed: Spark Connect on {self.credentials.host} for the Python model {self.node['name']}. "
                "found: a profile with a Thrift host alone. do: set connect_url: sc://host:port in profiles.yml"
            )
        server = managed_server(self.credentials)
        # By name, not by number: the client sends a token without TLS to localhost only.
        return f"sc://localhost:{server.ports.connect}/;token={server.token}"

    def submit(self, compiled_code: str) -> Any:
        """Run the model and write what it returns.

        Args:
            compiled_code: the user's file, dbt's helpers, and the target's name (see python.sql).

        Raises:
            DbtRuntimeError: with the user's file, line and message when their code failed.
        """
        from pyspark.sql import SparkSession

        session = SparkSession.builder.remote(self.url()).create()
        try:
            session.addTag(self.node["unique_id"].replace(",", "_"))
            path = self.node["original_file_path"]
            space: dict[str, Any] = {"__name__": "dbt_model", "spark": session, "print": self._print}
            try:
                exec(compile(self._aligned(compiled_code), path, "exec"), space)
                frame = space["model"](space["dbtObj"](session.table), session)
                self._write(session, frame, space["penstock_target"])
            except DbtRuntimeError:
                raise
            except Exception as error:
                raise DbtRuntimeError(self._explain(error, path)) from error
        finally:
            session.stop()
        return None

    def _aligned(self, compiled_code: str) -> str:
        """The compiled code with the user's lines at the numbers they have in the user's file."""
        try:
            own = (Path(self.credentials.project_root) / self.node["original_file_path"]).read_text()
        except OSError:
            own = ""
        return "\n" * leading_blank_lines(own) + "\n".join(
            compiled_code.split("\n")[leading_blank_lines(compiled_code) :]
        )

    def _print(self, *values: object, sep: str = " ", **_: Any) -> None:
        """A model's `print` goes to dbt's log."""
        logger.info(f"{self.node['name']}: {sep.join(map(str, values))}")

    def _write(self, session: Any, frame: Any, target: str) -> None:
        """Replace the target by a data frame, partitioned and with the properties as configured."""
        from pyspark.sql.connect.dataframe import DataFrame

        if not isinstance(frame, DataFrame):
            if type(frame).__module__.partition(".")[0] != "pandas":
                raise DbtRuntimeError(
                    f"needed: a Spark or pandas DataFrame from {self.node['name']}. "
                    f"found: {type(frame).__name__}. do: return a DataFrame from model()"
                )
            frame = session.createDataFrame(frame)
        config = self.node["config"]
        file_format = config.get("file_format") or "delta"
        columns = config.get("partition_by") or []
        columns = [columns] if isinstance(columns, str) else list(columns)
        if file_format == "delta":
            writer = frame.writeTo(target).using("delta")
            for key, value in (config.get("tblproperties") or {}).items():
                writer = writer.tableProperty(key, str(value))
            if columns:
                from pyspark.sql import functions

                writer = writer.partitionedBy(*[functions.col(name) for name in columns])
            writer.createOrReplace()
        else:
            plain = frame.write.mode("overwrite").format(file_format)
            (plain.partitionBy(*columns) if columns else plain).saveAsTable(target)

    def _explain(self, error: Exception, path: str) -> str:
        """The user's file, line and message, without the adapter's or Spark's own frames."""
        if isinstance(error, SyntaxError) and error.filename == path:
            return f"{path}, line {error.lineno}: SyntaxError: {error.msg}"
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        place = f"{path}, line {frames[-1].lineno}" if frames else path
        words = str(error).split("\n\nJVM stacktrace:")[0].strip()
        return f"{place}: {type(error).__name__}: {words}"
