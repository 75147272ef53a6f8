"""The nodes that a run would select, and the nodes downstream of a changed model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.config import dbt_command
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.preview.content import Code

RESOURCE_TYPES = ("model", "seed", "snapshot")


@dataclass(frozen=True)
class Selection:
    """The options of a command that choose nodes.

    Attributes:
        select: dbt's `--select`, one text for each time that the user typed the option.
        exclude: dbt's `--exclude`.
        state: a folder with the artifacts of another run; None without one.
    """

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    state: Path | None = None

    @property
    def _options(self) -> list[str]:
        options = [part for text in self.select for part in ("--select", *text.split())]
        return [*options, *(part for text in self.exclude for part in ("--exclude", *text.split()))]

    @property
    def _state_options(self) -> list[str]:
        return ["--state", str(self.state.resolve())] if self.state else []

    @property
    def options(self) -> list[str]:
        """Return the options for dbt."""
        return [*self._options, *self._state_options]

    def check_state(self) -> None:
        """Check that the state folder has a manifest.

        Raises:
            PenstockError: the state folder has no manifest.
        """
        if self.state and not (self.state / "manifest.json").is_file():
            raise PenstockError(
                "a manifest.json in the folder of --state",
                f"none in {self.state}" if self.state.is_dir() else f"no folder {self.state}",
                "name the target folder of an earlier run, or a copy of its manifest.json",
            )

    def nodes(self, settings: Settings, manifest: Any) -> list[str]:
        """Return the unique ids of the selected models, seeds and snapshots, each after the nodes that it reads.

        Raises:
            PenstockError: the selection is invalid, or it matches nothing.
        """
        found = _list(settings, manifest, *self.options)
        if not found:
            raise PenstockError(
                "a selection of models, seeds or snapshots",
                f"`{' '.join(self._options)}`, which matches none" if self._options else "a project without any",
                "see `dbt ls --resource-type model`",
            )
        return list(_in_order(manifest, found))

    def modified(self, settings: Settings, manifest: Any) -> dict[str, Code]:
        """Return the nodes that differ from the state folder, by dbt's selection `state:modified`.

        Raises:
            PenstockError: dbt can't read the state.
        """
        modified = _list(settings, manifest, "--select", "state:modified", *self._state_options)
        new = _list(settings, manifest, "--select", "state:new", *self._state_options) if modified else set()
        return {name: Code.NEW if name in new else Code.CHANGED for name in modified}


def _list(settings: Settings, manifest: Any, *options: str) -> set[str]:
    types = [part for name in RESOURCE_TYPES for part in ("--resource-type", name)]
    output = ("--output", "json", "--output-keys", "unique_id")
    lines = dbt_command.invoke(settings.root, manifest, "a valid selection", "ls", *options, *types, *output)
    return {json.loads(line)["unique_id"] for line in lines or ()}


def parents(node: Any) -> list[str]:
    """Return the unique ids of the nodes and sources that a node reads. A seed reads none."""
    return list(getattr(node.depends_on, "nodes", ()))


def _in_order(manifest: Any, names: Iterable[str]) -> Iterator[str]:
    """Yield the names in an order in which each node follows the nodes that it reads."""
    wanted, seen = set(names), set[str]()

    def visit(name: str) -> Iterator[str]:
        if name in seen or name not in manifest.nodes:
            return
        seen.add(name)
        for parent in sorted(parents(manifest.nodes[name])):
            yield from visit(parent)
        if name in wanted:
            yield name

    for name in sorted(wanted):
        yield from visit(name)


def downstream(manifest: Any, changed: Sequence[str]) -> dict[str, list[str]]:
    """Return the models and snapshots that read changed models, each with the names of those changed models.

    Args:
        manifest: dbt's manifest.
        changed: unique ids of the changed models.
    """
    found: dict[str, list[str]] = {}
    nodes = [name for name, node in manifest.nodes.items() if node.resource_type in ("model", "snapshot")]
    for name in _in_order(manifest, nodes):
        above = parents(manifest.nodes[name])
        origins = {origin for parent in above for origin in found.get(parent, ())}
        origins |= {manifest.nodes[parent].name for parent in above if parent in changed}
        if origins:
            found[name] = sorted(origins)
    return found
