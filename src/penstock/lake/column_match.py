"""Match the columns of a source file to the columns of its dataset."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.errors import PenstockError
from penstock.lake.catalog import Catalog, Dataset, normalize_name


@dataclass(frozen=True)
class ColumnMatch:
    """The mapping of a file's columns to a dataset's columns.

    Attributes:
        source: the file's column for each column of the dataset; None if the file lacks the dataset's column. That
            column then lands with nulls.
        extra: columns of the file that match no column of the dataset. They don't land.
    """

    source: dict[str, str | None]
    extra: tuple[str, ...]


def _try_match(dataset: Dataset, names: list[str]) -> tuple[ColumnMatch, list[str], str | None]:
    """Match columns without raising errors.

    Args:
        dataset: the dataset.
        names: the file's columns.

    Returns:
        (match, missing required columns, description of an ambiguous column or None). A dataset's column is ambiguous
        if several columns of the file match it.
    """
    by_key: dict[str, list[str]] = {}
    for name in names:
        by_key.setdefault(normalize_name(name), []).append(name)
    source: dict[str, str | None] = {}
    missing, ambiguous, used = [], None, set()
    for column, settings in dataset.columns.items():
        keys = {normalize_name(alias) for alias in (column, *settings.also)}
        matches = [name for key in keys for name in by_key.get(key, [])]
        used.update(matches)
        source[column] = matches[0] if matches else None
        if not matches and not settings.optional:
            missing.append(column)
        if len(matches) > 1:
            ambiguous = f"`{'` and `'.join(sorted(matches))}` for `{column}`"
    if not used:
        missing = list(dataset.columns)
    return ColumnMatch(source, tuple(name for name in names if name not in used)), missing, ambiguous


def match_columns(dataset: Dataset, names: list[str], file_name: str, catalog: Catalog) -> ColumnMatch:
    """Match the file's columns to the columns of the dataset.

    Args:
        dataset: the dataset.
        names: the file's columns.
        file_name: the file's name in error messages.
        catalog: the catalog, to recognize a file of another dataset.

    Raises:
        PenstockError: a required column is missing, or two columns of the file match one column of the dataset.
            If the file has the columns of another dataset, the message names that dataset.
    """
    match, missing, ambiguous = _try_match(dataset, names)
    if missing:
        raise _missing_columns_error(dataset, names, missing, file_name, catalog)
    if ambiguous:
        raise PenstockError(
            f"one column of {file_name} for each of {dataset.name}",
            ambiguous,
            "correct `also` in lake.yml, or the file",
        )
    return match


def _missing_columns_error(
    dataset: Dataset, names: list[str], missing: list[str], file_name: str, catalog: Catalog
) -> PenstockError:
    matching = [
        other for other in catalog.datasets.values() if other is not dataset and not _try_match(other, names)[1]
    ]
    if matching:
        other = max(matching, key=lambda candidate: len(candidate.columns)).name
        return PenstockError(
            f"a {dataset.name} file",
            f"{file_name} has the columns of {other}: this is a {other} file",
            f"land it with `penstock land {other}`",
        )
    return PenstockError(
        f"the columns of {dataset.name} in {file_name}",
        f"{len(missing)} of {len(dataset.columns)} missing: {_first(missing)}; the file has {_first(names)}",
        "give a file of that dataset; if a later era renamed the column, add the name to its `also` in lake.yml",
        entry="columns-are-missing",
    )


def _first(columns: list[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns[:5]) + (", …" if len(columns) > 5 else "")
