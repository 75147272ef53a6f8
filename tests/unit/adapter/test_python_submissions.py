"""Python models without a server: configuration, packages, the job, the session and its address."""

from __future__ import annotations

import gc
import json
import weakref
from concurrent import futures
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import grpc  # type: ignore[import-untyped]
import pytest
from dbt_common.exceptions import DbtRuntimeError
from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator
from pyspark.sql.connect.session import SparkSession

from dbt.adapters.penstock.python_submissions import connect_session, jobs, packages
from dbt.adapters.penstock.python_submissions.config import PythonConfig
from dbt.adapters.penstock.python_submissions.connect import ConnectPythonJobHelper
from penstock.python_runtime.job import Input, Job
from tests.unit.adapter.profiles import credentials

NODE: dict[str, Any] = {
    "name": "m",
    "alias": "m",
    "unique_id": "model.p.m",
    "original_file_path": "python_models/m.py",
    "config": {},
    "columns": {},
}


def compiled(code: str, write: dict[str, Any] | None = None, inputs: dict[str, Any] | None = None) -> str:
    """Return what the macro renders: the code, then one marked line."""
    data = {"write": {"mode": "replace", "target": "w.m", **(write or {})}, "inputs": inputs or {}}
    return f"{code}\n{jobs.DATA_PREFIX}{json.dumps(json.dumps(data))}\n"


def build(config: dict[str, Any], code: str = "x = 1", columns: Any = None, **rest: Any) -> Job:
    """Return the job of a node with some configuration."""
    node = {**NODE, "config": config, "columns": columns or {}, **rest.pop("node", {})}
    return jobs.build(node, compiled(code, **rest), PythonConfig.parse(node), credentials())


def test_a_remote_server_without_connect_url_is_refused() -> None:
    """A Python model on a remote server needs its Spark Connect address."""
    helper = ConnectPythonJobHelper(NODE, credentials(host="spark.example.org"))
    with pytest.raises(DbtRuntimeError, match=r"Python model m\. found: .*do: set connect_url"):
        helper.url()
    url = "sc://spark.example.org:15002"
    assert ConnectPythonJobHelper(NODE, credentials(host="x", connect_url=url)).url() == url


def test_line_numbers_are_those_of_the_users_file(tmp_path: Path) -> None:
    """dbt strips blank lines before the code and macros add some."""
    (tmp_path / "python_models").mkdir()
    (tmp_path / "python_models" / "m.py").write_text("\n\nx = 1\n")
    made = credentials()
    object.__setattr__(made, "project_root", str(tmp_path))
    job = jobs.build(NODE, compiled("\n  \n\n\nx = 1\ny = 2"), PythonConfig.parse(NODE), made)
    assert job.code == "\n\nx = 1\ny = 2"


def test_a_layout_reaches_the_job_and_its_session() -> None:
    """The model's spark_conf overrides the settings of its layout."""
    compacts = "spark.databricks.delta.autoCompact.enabled"
    config = {"target_file_size_mb": 64, "partition_by": "m", "spark_conf": {compacts: False}}
    conf = PythonConfig.parse({**NODE, "config": config}).spark_conf
    assert conf["spark.databricks.delta.optimizeWrite.binSize"] == "128m" and conf[compacts] == "false"
    assert not build(config).layout.rebalanced
    sorted_ = build({**config, "sorted_within": ["a"]}).layout
    assert sorted_.rebalanced and sorted_.sorted_within == ("a",)
    assert Job.loads(build({**config, "sorted_within": ["a"]}).dumps()).layout == sorted_


def test_the_job_has_the_configuration_and_the_macros_data() -> None:
    """The layout is from the node's configuration, the write and the windows from the macro; JSON keeps all of it."""
    job = build(
        {
            "file_format": "parquet",
            "partition_by": "day",
            "clustered_by": ["id"],
            "buckets": 4,
            "location_root": "/data",
            "tblproperties": {"a": 1, "b": True},
            "enforce_columns": True,
        },
        columns={"id": {"name": "id", "data_type": "bigint"}, "x": {"name": "x"}},
        write={"mode": "append", "view": "`m__dbt_tmp`", "on_schema_change": None, "intervals": ["2024-01-01"]},
        inputs={"w.events": {"column": "at", "start": "2024-01-01T00:00:00+00:00"}},
        node={
            "batch": {"event_time_start": "2024-01-01T00:00:00+00:00", "event_time_end": "2024-01-02T00:00:00+00:00"}
        },
    )
    assert not job.layout.atomic and job.layout.buckets == 4 and job.layout.location == "/data/m"
    assert (job.layout.partition_by, job.layout.clustered_by) == (("day",), ("id",))
    assert job.layout.properties == {"a": "1", "b": "true"}
    assert (job.write.view, job.write.on_schema_change) == ("m__dbt_tmp", "ignore")
    assert job.columns == {"id": "bigint", "x": None}
    assert job.inputs == {"w.events": Input("at", "2024-01-01T00:00:00+00:00")}
    assert job.interval_starts() == (date(2024, 1, 1),) and len(job.fingerprint) == 16
    window = job.microbatch()
    assert window and (window.end - window.start).days == 1 and window.start.tzinfo
    assert Job.loads(job.dumps()) == job


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"timeout": "soon"}, "timeout of the Python model m. found: 'soon'"),
        ({"timeout": 0}, "seconds above 0"),
        ({"spark_conf": ["a"]}, "spark_conf"),
        ({"enforce_columns": "yes"}, "true or false as enforce_columns"),
        ({"enforce_columns": True}, "found: none. do: list its columns"),
        ({"buckets": "four"}, "buckets"),
        ({"tblproperties": "a=b"}, "tblproperties"),
        ({"file_format": "delte"}, "found: delte"),
    ],
)
def test_an_invalid_configuration_is_refused_by_its_key(config: dict[str, Any], message: str) -> None:
    """The error has the key, the value, and what to do."""
    with pytest.raises(DbtRuntimeError) as caught:
        build(config)
    assert message in str(caught.value)


def test_missing_packages_are_named_with_the_command() -> None:
    """Missing and too old packages; packages of other systems are ignored."""
    requirements = ["pytest", "pytest>=1", "pytest<1", "no-such-thing-here>=2", "other; sys_platform == 'nowhere'"]
    assert set(packages.missing(requirements)) == {"pytest<1", "no-such-thing-here>=2"}
    with pytest.raises(DbtRuntimeError) as caught:
        packages.require(requirements, "m")
    assert "no-such-thing-here>=2 (not installed)" in str(caught.value)
    assert "do: pip install 'pytest<1' 'no-such-thing-here>=2'" in str(caught.value)
    with pytest.raises(DbtRuntimeError, match="do: correct packages"):
        packages.require(["a b c"], "m")


def test_the_token_is_masked_in_messages() -> None:
    """Both as it is in the address and decoded."""
    address = "sc://h:1/;use_ssl=true;token=a%2Fb"
    assert connect_session.without_token("no a%2Fb nor a/b at h:1", address) == "no *** nor *** at h:1"
    assert connect_session.without_token("plain", "sc://h:1") == "plain"


def test_a_missing_ca_file_is_named(tmp_path: Path) -> None:
    """Instead of an error of the TLS handshake."""
    made = credentials(host="x", connect_url="sc://localhost:1/;use_ssl=true")
    made.ssl_ca = str(tmp_path / "ca.pem")
    with pytest.raises(DbtRuntimeError, match=r"ssl_ca.*ca\.pem.*do: correct ssl_ca"):
        connect_session.open_session(made, str(made.connect_url), "model.p.m")


class _Conf:
    """A session's settings, of which one is modifiable."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def isModifiable(self, key: str) -> bool:
        return key == "spark.sql.shuffle.partitions"

    def set(self, key: str, value: str) -> None:
        self.values[key] = value


def test_only_settings_of_a_running_server_are_accepted() -> None:
    """For a static setting the error suggests spark_submit."""

    class Session:
        conf = _Conf()

    good = {"spark.sql.shuffle.partitions": "3", "spark.sql.catalog.lake": "x", "fs.s3a.endpoint": "y"}
    connect_session.configure(Session, good, "m")
    assert Session.conf.values == good
    with pytest.raises(DbtRuntimeError, match=r"found: spark\.executor\.memory.*submission_method: spark_submit"):
        connect_session.configure(Session, {"spark.executor.memory": "2g"}, "m")


def test_an_address_without_a_server_is_an_error() -> None:
    """Instead of ten minutes of retries."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    made = credentials(host="x", connect_url=f"sc://localhost:{port}/;token=secret")
    with pytest.raises(
        DbtRuntimeError, match=rf"needed: Spark Connect at localhost:{port}\. found: no answer"
    ) as caught:
        connect_session.open_session(made, str(made.connect_url), "model.p.m")
    assert "secret" not in str(caught.value)


def test_garbage_collection_does_not_close_a_session() -> None:
    """It would wait for requests that wait for the thread on which it is collected."""
    with futures.ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool)
        port = server.add_insecure_port("localhost:0")
        server.start()
        made = credentials(host="x", connect_url=f"sc://localhost:{port}/;token=secret")
        opened = connect_session.open_session(made, str(made.connect_url), "model.p.m")
        assert SparkSession.getActiveSession() is opened
        opened.release_session_on_close = False  # no Spark answers here
        opened.stop()
        assert SparkSession.getActiveSession() is None
        gone = weakref.ref(opened)
        with patch.object(ExecutePlanResponseReattachableIterator, "shutdown") as closed:
            del opened
            gc.collect()
            assert gone() is None and not closed.called
        server.stop(None)
