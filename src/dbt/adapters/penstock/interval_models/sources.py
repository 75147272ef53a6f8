"""Find the interval sources of a project by their entry points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points

from penstock.config.settings import Settings
from penstock.intervals.source import ENTRY_POINTS, IntervalSource


class IntervalSources(Mapping[str, IntervalSource]):
    """A mapping from schemas to interval sources.

    The name of a source's entry point is the schema of the source's tables. A source is imported when the project
    first uses the source. For example, a project without a lake never imports the lake.

    Args:
        settings: returns the settings of the target.
        registers: whether the command registers the sources' tables with Spark. `penstock preview` does not register
            them, so it reads the intervals from the sources' own storage.
    """

    def __init__(self, settings: Callable[[], Settings], registers: bool = True) -> None:
        self._settings, self._registers = settings, registers
        self._entries: dict[str, EntryPoint] = {item.name: item for item in entry_points(group=ENTRY_POINTS)}
        self._sources: dict[str, IntervalSource] = {}

    def __getitem__(self, schema: str) -> IntervalSource:
        if schema not in self._sources:
            source: IntervalSource = self._entries[schema].load()(self._settings())
            self._sources[schema] = source if self._registers else source.unregistered()
        return self._sources[schema]

    def __contains__(self, schema: object) -> bool:
        return schema in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def configured(self) -> list[IntervalSource]:
        """Return the sources that the project configures in a file `NAME.yml`, where NAME is the source's schema."""
        root = self._settings().root
        return [self[name] for name in self if (root / f"{name}.yml").exists()]
