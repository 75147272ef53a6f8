"""The dbt side of an explanation: the model asked for, whether its code changed, its compiled query.

dbt runs inside this process and writes none of its artifacts, so that `dbt retry` and the last
run's results stay as they are.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.config import profiles
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.plans import plan_store as kept
from penstock.plans.plan_store import Kept

QUIET = ("--quiet", "--no-write-json", "--log-level", "none")


def _invoke(settings: Settings, manifest: Any, needed: str, *arguments: str) -> Any:
    from dbt.cli.main import dbtRunner

    places = ["--project-dir", str(settings.root), *profiles.chosen()]
    if "DBT_PROFILES_DIR" not in os.environ and (settings.root / "profiles.yml").exists():
        places += ["--profiles-dir", str(settings.root)]
    done = dbtRunner(manifest=manifest).invoke([*QUIET, *arguments, *places])
    if done.success:
        return done.result
    results = getattr(done.result, "results", [])
    words = [str(item.message) for item in results if item.message] or [str(done.exception or "dbt failed")]
    raise PenstockError(needed, " ".join(" ".join(words).split()), f"see `dbt {' '.join(arguments)}`") from None


@dataclass(frozen=True)
class Model:
    """A model of the dbt project.

    Attributes:
        node: dbt's own object of it.
        manifest: dbt's manifest.
    """

    node: Any
    manifest: Any

    @property
    def adapter(self) -> Any:
        """dbt's adapter of the target; each command of dbt makes another.

        Raises:
            PenstockError: the target is of another type.
        """
        from dbt.adapters.factory import FACTORY

        found = FACTORY.adapters.get("penstock")
        if found is None:
            types = ", ".join(f"`{name}`" for name in FACTORY.adapters) or "none"
            raise PenstockError("a target of type penstock", types, "set `type: penstock` in profiles.yml")
        return found

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.node.name)

    @property
    def kind(self) -> str:
        """How it is materialized, `incremental table` said as dbt does, and its language when that is Python."""
        return f"{self.node.config.materialized}{', Python' if self.is_python else ''}"

    @property
    def is_python(self) -> bool:
        """Whether it is written in Python: then only a run knows its plan."""
        return str(self.node.language) == "python"

    @property
    def is_stored(self) -> bool:
        """Whether its rows are stored in files of its own."""
        from dbt.adapters.penstock import node_fingerprint

        return node_fingerprint.is_stored(self.node)

    @property
    def target(self) -> Path:
        """dbt's target folder."""
        return Path(self.adapter.config.project_root) / str(self.adapter.config.target_path)

    @property
    def _code(self) -> str:
        from dbt.adapters.penstock import node_fingerprint

        return node_fingerprint.fingerprint(self.manifest, self.node.unique_id)

    def kept(self) -> Kept | None:
        """The plan that it last ran with; None when none is kept."""
        return kept.read(self.target, self.node.unique_id)

    def has_changed(self, plan: Kept) -> bool:
        """Whether its code is another than the one a plan belongs to."""
        return plan.code != self._code

    def compiled(self, settings: Settings) -> Kept:
        """Its compiled query, as a plan to be filled in.

        Raises:
            PenstockError: dbt can't compile it.
        """
        from dbt.adapters.penstock import node_fingerprint

        needed = f"the compiled query of {self.name}"
        done = _invoke(settings, self.manifest, needed, "compile", "--select", ".".join(self.node.fqn))
        sql = next((r.node.compiled_code for r in done.results if r.node.unique_id == self.node.unique_id), None)
        if not sql:
            raise PenstockError(needed, "none", f"see `dbt compile --select {self.name}`")
        views = node_fingerprint.views(self.manifest, self.node.unique_id)
        return Kept(self.node.unique_id, node_fingerprint.relation_name(self.node), self._code, sql, views)

    @property
    def conf(self) -> dict[str, str]:
        """The Spark settings that its configuration brings.

        Raises:
            PenstockError: the configuration is wrong.
        """
        from dbt.adapters.penstock import layout

        with _configured():
            return layout.session_settings(self.node.config, self._format, self.node.unique_id)

    def written(self, select: str) -> str:
        """Its query as it is sent: in the order in which its files are to hold the rows.

        Raises:
            PenstockError: the configuration is wrong.
        """
        from dbt.adapters.penstock.layout import FileLayout

        if not self.is_stored:
            return select
        with _configured():
            return FileLayout.parse(self.node.config, self._format, self.node.unique_id).arranged(select)

    @property
    def _format(self) -> str:
        return str(self.adapter.config.credentials.file_format)


@contextmanager
def _configured() -> Iterator[None]:
    """The adapter's message on a wrong configuration, as a user's error."""
    from dbt_common.exceptions import DbtRuntimeError

    try:
        yield
    except DbtRuntimeError as error:
        parts = re.split(r"needed: |\. found: |\. do: ", str(error.msg))[1:]
        needed, found, do = parts if len(parts) == 3 else ("a valid configuration", str(error.msg), "correct it")
        raise PenstockError(needed, found, do) from None


def find(settings: Settings, name: str) -> Model:
    """A model by its name, with its package or not, or by its unique id.

    Raises:
        PenstockError: no dbt project here, one that dbt can't parse, or no such model in it.
    """
    if not (settings.root / "dbt_project.yml").exists():
        raise PenstockError("a dbt project", f"no dbt_project.yml in {settings.root}", "go to the project's folder")
    manifest = _invoke(settings, None, "a dbt project that can be parsed", "parse")
    own = manifest.metadata.project_name
    nodes = [node for node in manifest.nodes.values() if _is_called(node, name)]
    models = sorted((n for n in nodes if n.resource_type == "model"), key=lambda n: n.package_name != own)
    if models:
        return Model(models[0], manifest)
    if nodes:
        found = f"`{name}` is a {nodes[0].resource_type}"
        raise PenstockError("a model", found, "name a model; only those have a query that Spark plans")
    names = sorted({node.name for node in manifest.nodes.values() if node.resource_type == "model"})
    raise PenstockError("a model of this project", f"no `{name}`", _close(name, names))


def _is_called(node: Any, name: str) -> bool:
    bare = name.removesuffix(".sql").removesuffix(".py")
    return bare in (node.name, node.unique_id, f"{node.package_name}.{node.name}", getattr(node, "alias", None))


def _close(name: str, names: Sequence[str]) -> str:
    """What to type instead of a name that isn't there."""
    words = set(re.split(r"[_.]", name.lower()))
    close = difflib.get_close_matches(name, names, 3, 0.5)
    close += [other for other in names if other not in close and words & set(other.split("_"))][: 3 - len(close)]
    if close:
        return f"did you mean {' or '.join(f'`{item}`' for item in close)}?"
    return "see `dbt ls --resource-type model`" if names else "write a model"
