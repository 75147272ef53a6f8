"""Find a model of the dbt project, its captured plan and its compiled query.

dbt runs in this process and writes no artifacts, so a later `dbt retry` still finds the results of the last run.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.config import dbt_command
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.plans import plan_store
from penstock.plans.plan_store import CapturedPlan


@dataclass(frozen=True)
class Model:
    """A model of the dbt project.

    Attributes:
        node: dbt's node of the model.
        manifest: dbt's manifest.
    """

    node: Any
    manifest: Any

    @property
    def adapter(self) -> Any:
        """Return dbt's adapter for the target. Each dbt command creates a new adapter.

        Raises:
            PenstockError: the target is not of type penstock.
        """
        from dbt.adapters.factory import FACTORY

        adapter = FACTORY.adapters.get("penstock")
        if adapter is None:
            types = ", ".join(f"`{name}`" for name in FACTORY.adapters) or "none"
            raise PenstockError("a target of type penstock", types, "set `type: penstock` in profiles.yml")
        return adapter

    @property
    def name(self) -> str:
        """Return the model's name."""
        return str(self.node.name)

    @property
    def kind(self) -> str:
        """Return the materialization and, for a Python model, the language."""
        return f"{self.node.config.materialized}{', Python' if self.is_python else ''}"

    @property
    def is_python(self) -> bool:
        """Return whether the model is written in Python. The plan of a Python model is known only after a run."""
        return str(self.node.language) == "python"

    @property
    def is_stored(self) -> bool:
        """Return whether the model has files."""
        from dbt.adapters.penstock import node_fingerprint

        return node_fingerprint.is_stored(self.node)

    @property
    def target_folder(self) -> Path:
        """Return dbt's target folder."""
        return Path(self.adapter.config.project_root) / str(self.adapter.config.target_path)

    @property
    def fingerprint(self) -> str:
        """Return the fingerprint of the model's current code."""
        from dbt.adapters.penstock import node_fingerprint

        return node_fingerprint.fingerprint(self.manifest, self.node.unique_id)

    def captured_plan(self) -> CapturedPlan | None:
        """Return the captured plan of the model's last run, or None if there is no such plan."""
        return plan_store.read(self.target_folder, self.node.unique_id)

    def has_changed_since(self, captured: CapturedPlan) -> bool:
        """Return whether the model's code has changed since a plan was captured."""
        return captured.code != self.fingerprint

    def compile(self, settings: Settings) -> CapturedPlan:
        """Return the model's compiled query, as a `CapturedPlan` that does not contain a plan yet.

        Raises:
            PenstockError: dbt cannot compile the model.
        """
        from dbt.adapters.penstock import node_fingerprint

        needed = f"the compiled query of {self.name}"
        result = dbt_command.invoke(
            settings.root, self.manifest, needed, "compile", "--select", ".".join(self.node.fqn)
        )
        sql = next((r.node.compiled_code for r in result.results if r.node.unique_id == self.node.unique_id), None)
        if not sql:
            raise PenstockError(needed, "none", f"see `dbt compile --select {self.name}`")
        views = node_fingerprint.views(self.manifest, self.node.unique_id)
        return CapturedPlan(
            self.node.unique_id, node_fingerprint.relation_name(self.node), self.fingerprint, sql, views
        )

    @property
    def spark_conf(self) -> dict[str, str]:
        """Return the Spark settings of the model's layout.

        Raises:
            PenstockError: the model's configuration is not valid.
        """
        from dbt.adapters.penstock import layout

        with _configuration_errors():
            return layout.session_settings(self.node.config, self._format, self.node.unique_id)

    def with_write_order(self, select: str) -> str:
        """Return a query with the distribution and order in which the model's rows are written.

        Raises:
            PenstockError: the model's configuration is not valid.
        """
        from dbt.adapters.penstock.layout import FileLayout

        if not self.is_stored:
            return select
        with _configuration_errors():
            return FileLayout.parse(self.node.config, self._format, self.node.unique_id).arranged(select)

    @property
    def _format(self) -> str:
        return str(self.adapter.config.credentials.file_format)


@contextmanager
def _configuration_errors() -> Iterator[None]:
    """Convert dbt's errors about a model's configuration to PenstockError. The adapter's own errors pass unchanged."""
    from dbt_common.exceptions import DbtRuntimeError

    try:
        yield
    except PenstockError:
        raise
    except DbtRuntimeError as error:
        raise PenstockError("a valid configuration", str(error.msg), "correct it") from None


def parse_project(settings: Settings) -> Any:
    """Return dbt's manifest of the project.

    Raises:
        PenstockError: there is no dbt project, or dbt cannot parse it.
    """
    if not (settings.root / "dbt_project.yml").exists():
        raise PenstockError("a dbt project", f"no dbt_project.yml in {settings.root}", "go to the project's folder")
    return dbt_command.invoke(settings.root, None, "a dbt project that can be parsed", "parse")


def find_model(settings: Settings, name: str) -> Model:
    """Return a model by its name, with or without its package, or by its unique id.

    Raises:
        PenstockError: there is no dbt project, dbt cannot parse it, or it has no such model.
    """
    manifest = parse_project(settings)
    project = manifest.metadata.project_name
    nodes = [node for node in manifest.nodes.values() if _has_name(node, name)]
    models = sorted((n for n in nodes if n.resource_type == "model"), key=lambda n: n.package_name != project)
    if models:
        return Model(models[0], manifest)
    if nodes:
        found = f"`{name}` is a {nodes[0].resource_type}"
        raise PenstockError("a model", found, "name a model; only those have a query that Spark plans")
    names = sorted({node.name for node in manifest.nodes.values() if node.resource_type == "model"})
    raise PenstockError("a model of this project", f"no `{name}`", _suggestion(name, names))


def _has_name(node: Any, name: str) -> bool:
    bare = name.removesuffix(".sql").removesuffix(".py")
    return bare in (node.name, node.unique_id, f"{node.package_name}.{node.name}", getattr(node, "alias", None))


def _suggestion(name: str, names: Sequence[str]) -> str:
    """Return what to type instead of an unknown model name."""
    words = set(re.split(r"[_.]", name.lower()))
    similar = difflib.get_close_matches(name, names, 3, 0.5)
    similar += [other for other in names if other not in similar and words & set(other.split("_"))][: 3 - len(similar)]
    if similar:
        return f"did you mean {' or '.join(f'`{item}`' for item in similar)}?"
    return "see `dbt ls --resource-type model`" if names else "write a model"
