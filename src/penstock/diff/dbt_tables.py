"""Read from dbt which tables to compare, and where they are in each target.

An interval model is an incremental model that penstock builds by month or day. The run ledger is the table that records
what penstock built from what.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.config import dbt_command
from penstock.config.profiles import target_folder
from penstock.config.settings import Settings
from penstock.diff.keys import Key, candidates
from penstock.errors import PenstockError
from penstock.intervals.model_config import IntervalConfig, is_interval

COMPARED = ("model", "seed", "snapshot")


@dataclass(frozen=True)
class Relation:
    """A table of one target.

    Attributes:
        sql: the name as SQL, with its catalog.
        ledger_name: the name in the run ledger, `schema.name` in lower case.
        ledger: the run ledger of the target as SQL, if the table belongs to an interval model; otherwise empty.
    """

    sql: str
    ledger_name: str = ""
    ledger: str = ""


@dataclass(frozen=True)
class DbtTable:
    """A model, seed or snapshot whose table is compared.

    Attributes:
        unique_id: dbt's unique id.
        name: dbt's name.
        relations: the table in each target.
        keys: the possible keys, the preferred one first.
        is_view: whether the model is a view, which has no versions.
        intervals: the configuration of an interval model; None for any other node.
    """

    unique_id: str
    name: str
    relations: Mapping[str, Relation]
    keys: tuple[Key, ...] = ()
    is_view: bool = False
    intervals: IntervalConfig | None = None


@dataclass(frozen=True)
class Selection:
    """The options that select nodes, with their values. The options have the same meaning as in dbt."""

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    state: str | None = None

    @property
    def options(self) -> list[str]:
        """Return the options for dbt."""
        options = [word for name, values in (("--select", self.select), ("--exclude", self.exclude)) if values
                   for word in (name, *values)]  # fmt: skip
        return [*options, "--state", self.state] if self.state else options


def read_tables(settings: Settings, targets: Sequence[str], selection: Selection) -> list[DbtTable]:
    """Return the tables to compare, ordered by name.

    Views are returned only if the selection has `--select` or `--state`.

    Args:
        settings: the settings of the first target.
        targets: the targets whose relations are looked up. The nodes are selected in the first target.
        selection: the selected nodes.

    Raises:
        PenstockError: there is no dbt project, dbt cannot parse it, or nothing is selected.
    """
    if not (settings.root / "dbt_project.yml").exists():
        raise PenstockError("a dbt project", f"no dbt_project.yml in {settings.root}", "go to the project's folder")
    manifest = _parse(settings, targets[0], own=False)
    relations = {targets[0]: _relations(manifest)}
    chosen = _selected(settings, manifest, selection)
    for target in targets[1:]:
        relations[target] = _relations(_parse(settings, target, own=True))
    tests: dict[str, list[Any]] = {}
    for node in manifest.nodes.values():
        if node.resource_type == "test" and getattr(node, "attached_node", None):
            tests.setdefault(node.attached_node, []).append(node)
    nodes = (manifest.nodes[name] for name in chosen)
    return sorted(
        (
            DbtTable(
                node.unique_id,
                node.name,
                {target: of[node.unique_id] for target, of in relations.items() if node.unique_id in of},
                tuple(candidates(node, tests.get(node.unique_id, ()))),
                node.config.materialized == "view",
                IntervalConfig.parse(node.config.to_dict(omit_none=True), node.name) if is_interval(node) else None,
            )
            for node in nodes
        ),
        key=lambda table: table.name,
    )


def _selected(settings: Settings, manifest: Any, selection: Selection) -> list[str]:
    """Return the unique ids of the selected nodes that have a table or view.

    Raises:
        PenstockError: dbt refuses the selection, or nothing is selected.
    """
    names = list(manifest.nodes)
    if selection.options:
        kinds = [word for kind in COMPARED for word in ("--resource-type", kind)]
        keys = ("--output", "json", "--output-keys", "unique_id")
        options = (*kinds, *keys, *selection.options)
        lines = dbt_command.invoke(settings.root, manifest, "a selection of nodes", "ls", *options)
        names = [json.loads(line)["unique_id"] for line in lines]
    hidden = ("ephemeral",) if selection.select or selection.state else ("ephemeral", "view")
    found = [
        name
        for name in names
        if name in manifest.nodes
        and manifest.nodes[name].resource_type in COMPARED
        and manifest.nodes[name].config.materialized not in hidden
    ]
    if not found:
        given = " ".join(selection.options) or "a project without tables"
        do = "see `dbt ls --resource-type model`, and correct --select and --exclude"
        raise PenstockError("a model, seed or snapshot to compare", f"none: {given}", do)
    return found


def _parse(settings: Settings, target: str, own: bool) -> Any:
    """Return dbt's manifest of a target. For another target (`own`), dbt writes to a separate folder."""
    folder = target_folder(settings.root) / "diff" / target
    options = ["--target", target, "--target-path", str(folder)] if own else []
    return dbt_command.invoke(settings.root, None, "a dbt project that can be parsed", "parse", *options)


def _relations(manifest: Any) -> dict[str, Relation]:
    """Return the relation of each node, by unique id. dbt must have parsed the manifest's target last."""
    from dbt.adapters.factory import FACTORY

    from dbt.adapters.penstock import databases, node_fingerprint
    from penstock.intervals.ledger_table import TABLE

    adapter: Any = FACTORY.adapters.get("penstock")
    if adapter is None:
        types = ", ".join(f"`{name}`" for name in FACTORY.adapters) or "none"
        raise PenstockError("a target of type penstock", types, "set `type: penstock` in profiles.yml")
    ledger = ".".join(map(databases.part, (databases.default(), adapter.config.credentials.schema, TABLE)))
    found = {}
    for node in manifest.nodes.values():
        if node.resource_type in COMPARED:
            parts = (databases.catalog_of(node.database, node.schema), node.schema, node.alias)
            name = ".".join(map(databases.part, parts))
            own_ledger = ledger if is_interval(node) else ""
            found[node.unique_id] = Relation(name, node_fingerprint.relation_name(node), own_ledger)
    return found
