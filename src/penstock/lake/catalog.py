"""The datasets of the lake, with the names and columns of their monthly files, read from `lake.yml`.

To add a dataset, add an entry to `lake.yml`. This module is independent of particular datasets.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from penstock.config.sections import Strict
from penstock.config.settings import read_yaml
from penstock.config.validation_errors import explain_validation
from penstock.errors import PenstockError

if TYPE_CHECKING:
    import pyarrow as pa

FILE_NAME = "lake.yml"
SCHEMA = "lake"
MANIFEST = "manifest"
# Increase this number in a change that makes landing write different files from the same sources. Months that landed
# with a lower number then land again.
LANDING_FORMAT = 1

ColumnType = Literal["int", "bigint", "double", "money", "string", "boolean", "date", "timestamp"]
SPARK_TYPES: dict[str, str] = {
    "int": "INT",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "money": "DECIMAL(12,2)",
    "string": "STRING",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP_NTZ",
}
# Columns that landing adds after the dataset's own columns, in this order. The last one, `file_month`, is the
# partition column. Its value is only in the name of the folder, not in the file.
LINEAGE: dict[str, tuple[ColumnType, str]] = {
    "source_file": ("string", "Name of the file the row came from"),
    "source_row": ("bigint", "Position of the row in that file; the first is 1"),
    "file_month": ("date", "First day of the month the file is for"),
}
PARTITION = "file_month"

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def _identifier(name: str, what: str) -> str:
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"{what} `{name}` is not a SQL identifier (letters, digits, _; no digit first)")
    return name


def _fingerprint(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


class Column(Strict):
    """One column of a dataset.

    Attributes:
        type: the type of the column in the landed file.
        also: other names of the column, for example in older files. Case and surrounding blanks are ignored.
        optional: whether a file without the column lands with nulls. If false, landing refuses the file.
        description: the column's comment in Spark.
    """

    type: ColumnType
    also: tuple[str, ...] = ()
    optional: bool = False
    description: str = ""


class Dataset(Strict):
    """A kind of monthly file, with its table in Spark. The comments at the top of `lake.yml` describe the keys."""

    name: str
    description: str = ""
    file_name: tuple[str, ...] = Field(min_length=1)
    published: str | None = None
    columns: dict[str, Column] = Field(min_length=1)

    @field_validator("file_name")
    @classmethod
    def _patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            rest = pattern.replace("{month}", "", 1)
            if rest == pattern or "{" in rest or "}" in rest or "/" in rest:
                raise ValueError(f"`{pattern}` must contain {{month}} once, and no folder or other braces")
        if "*" in patterns[0]:
            raise ValueError(f"the first pattern `{patterns[0]}` is requested by name and can't contain *")
        return patterns

    @field_validator("published")
    @classmethod
    def _published(cls, address: str | None) -> str | None:
        if address is not None and "{file_name}" not in address:
            raise ValueError(f"`{address}` must contain {{file_name}}")
        return address

    @field_validator("columns")
    @classmethod
    def _columns(cls, columns: dict[str, Column]) -> dict[str, Column]:
        owner: dict[str, str] = {}
        for name, column in columns.items():
            if _identifier(name, "column").lower() in LINEAGE:
                raise ValueError(f"column `{name}` is one that landing adds; give it another name and an `also`")
            for key in {normalize_name(alias) for alias in (name, *column.also)}:
                if key in owner:
                    raise ValueError(f"columns `{owner[key]}` and `{name}` both claim the name `{key}`")
                owner[key] = name
        return columns

    @cached_property
    def landed_schema(self) -> pa.Schema:
        """Return the Arrow schema of a landed file: the dataset's columns, `source_file` and `source_row`."""
        # Every dbt run imports this module but needs no pyarrow. Importing pyarrow takes a tenth of the start-up time.
        from penstock.lake.arrow_types import schema

        own = {name: column.type for name, column in self.columns.items()}
        return schema(own | {name: kind for name, (kind, _) in LINEAGE.items() if name != PARTITION})

    @property
    def table_columns(self) -> list[tuple[str, str, str]]:
        """Return (name, Spark type, comment) of every column of the Spark table. The partition column is the last."""
        own = [(name, SPARK_TYPES[column.type], column.description) for name, column in self.columns.items()]
        return own + [(name, SPARK_TYPES[type_], comment) for name, (type_, comment) in LINEAGE.items()]

    @cached_property
    def schema_fingerprint(self) -> str:
        """Return 16 hex digits that change if landing would write a different file from the same source."""
        columns = [[n, c.type, sorted(map(normalize_name, c.also)), c.optional] for n, c in self.columns.items()]
        return _fingerprint([LANDING_FORMAT, columns])

    @cached_property
    def table_fingerprint(self) -> str:
        """Return 16 hex digits that change if the Spark table must be recreated."""
        return _fingerprint([self.name, self.description, self.table_columns])

    def official_name(self, month: date) -> str:
        """Return the name under which the publisher provides the month's file."""
        return self.file_name[0].replace("{month}", f"{month:%Y-%m}")

    def month_of(self, file_name: str) -> tuple[int, date] | None:
        """Return (index of the matching pattern, month) of a file name, or None if no pattern matches."""
        for index, pattern in enumerate(self.file_name):
            text = re.escape(pattern).replace(r"\{month\}", r"(\d{4})-(0[1-9]|1[0-2])").replace(r"\*", ".*")
            if (match := re.fullmatch(text, file_name)) and match[1] != "0000":
                return index, date(int(match[1]), int(match[2]), 1)
        return None


class Catalog(Strict):
    """The datasets of a `lake.yml`, by name."""

    version: Literal[1] = 1
    datasets: dict[str, Dataset] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _names_into_datasets(cls, values: Any) -> Any:
        datasets = values.get("datasets") if isinstance(values, dict) else None
        if not isinstance(datasets, dict):
            return values
        seen: dict[str, str] = {}
        for name, body in datasets.items():
            _identifier(str(name), "dataset")
            if str(name).lower() == MANIFEST:
                raise ValueError(f"dataset `{name}` has the name of penstock's own table; choose another")
            if other := seen.get(str(name).lower()):
                raise ValueError(f"datasets `{other}` and `{name}` differ by case only; Spark can't tell them apart")
            if isinstance(body, dict) and "name" in body:
                raise ValueError(f"unknown key `datasets.{name}.name`")
            seen[str(name).lower()] = str(name)
        named = {n: {**body, "name": str(n)} if isinstance(body, dict) else body for n, body in datasets.items()}
        return {**values, "datasets": named}

    def dataset(self, name: str) -> Dataset:
        """Return a dataset.

        Raises:
            PenstockError: the dataset does not exist. The message names the existing datasets.
        """
        if name in self.datasets:
            return self.datasets[name]
        known = ", ".join(self.datasets) or "none"
        raise PenstockError(
            f"a dataset of {FILE_NAME}",
            f"`{name}`; known: {known}",
            f"choose one or add it to {FILE_NAME}",
            entry="the-dataset-is-unknown",
        )

    @property
    def tables_fingerprint(self) -> str:
        """Return 16 hex digits that change if any Spark table must be recreated. The order of tables is irrelevant."""
        return _fingerprint(sorted((d.name, d.table_fingerprint) for d in self.datasets.values()))


def normalize_name(column_name: str) -> str:
    """Return a column name for comparison: in lower case, without surrounding blanks."""
    return column_name.strip().lower()


def _refuse_repeated_keys(node: yaml.Node, path: str, where: Path) -> None:
    """Refuse a key that is repeated in a mapping. YAML would silently keep only the last value, and lose a column."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = f"{path}{key.value}"
            if key.value in seen:
                raise PenstockError(f"each key once in {where.name}", f"`{name}` twice", f"correct {where}")
            seen.add(key.value)
            _refuse_repeated_keys(value, f"{name}.", where)


def load(root: Path) -> Catalog:
    """Return the catalog of the project in folder `root`.

    Raises:
        PenstockError: `lake.yml` is missing or invalid. The message names the unknown or wrong keys.
    """
    path = root / FILE_NAME
    data = read_yaml(path)
    if node := yaml.compose(path.read_text()):
        _refuse_repeated_keys(node, "", path)
    try:
        return Catalog.model_validate(data)
    except ValidationError as error:
        raise explain_validation(error, str(path), Catalog) from None
