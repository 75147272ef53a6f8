"""The column lineage of the project, with the columns of the lake's tables and of tables that Spark knows."""

from __future__ import annotations

from functools import partial

from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.lake import catalog, manifest_table
from penstock.lineage import project_lineage
from penstock.lineage.known_columns import Columns, Describe
from penstock.lineage.project_lineage import ProjectLineage
from penstock.report.warehouse_query import run_query
from penstock.spark.server import control


def load(settings: Settings) -> ProjectLineage:
    """Return the lineage of the project's current code. It queries Spark only if the server is running.

    Raises:
        PenstockError: there is no dbt project, dbt can't compile it, or lake.yml is invalid.
    """
    return project_lineage.load(settings, lake_columns(settings), _describe(settings))


def lake_columns(settings: Settings) -> dict[str, Columns]:
    """Return the columns of the lake's tables by name; none if the project has no lake."""
    if not (settings.root / catalog.FILE_NAME).exists():
        return {}
    datasets = catalog.load(settings.root).datasets
    tables = {name: {column: type_ for column, type_, _ in dataset.table_columns} for name, dataset in datasets.items()}
    return {**tables, catalog.MANIFEST: {name: type_ for name, (_, type_, _) in manifest_table.COLUMNS.items()}}


def _describe(settings: Settings) -> Describe | None:
    """Return the function that reads a relation's columns from Spark; None if no server is running."""
    is_up = control.is_remote(settings) or control.current(settings) is not None
    return partial(_spark_columns, settings) if is_up else None


def _spark_columns(settings: Settings, relation: str) -> Columns:
    try:
        rows = run_query(settings, f"describe table {relation}")
    except PenstockError:  # The table doesn't exist, or the server doesn't answer.
        return {}
    columns: Columns = {}
    for name, type_, *_ in rows:
        if not name or str(name).startswith("#"):
            break
        columns[str(name)] = str(type_)
    return columns
