"""Errors of microbatch models that dbt shows as "ERROR" alone: found before the first batch, or shown by a batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.spark.impl import SparkAdapter
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import databases, layout
from dbt.adapters.penstock.python_submissions.config import PythonConfig

logger = AdapterLogger("penstock")
BUILDS = {"run", "build", "retry"}


class Microbatches(SparkAdapter):
    """dbt-spark's adapter, with the errors of microbatch models."""

    @contextmanager
    def connection_named(
        self, name: str, query_header_context: Any = None, should_release_connection: bool = True
    ) -> Iterator[None]:
        """dbt's own, which begins every node, and every batch of one.

        Raises:
            DbtRuntimeError: a microbatch model whose configuration can't be; before its first batch.
        """
        with super().connection_named(name, query_header_context, should_release_connection):
            if self._builds_in_batches(query_header_context):
                self.check_configuration(query_header_context)
            try:
                yield
            except DbtRuntimeError as error:
                if getattr(query_header_context, "batch", None):
                    logger.error(f"{name}: {error.msg}")
                raise

    def _builds_in_batches(self, node: Any) -> bool:
        config = getattr(node, "config", None)
        command = getattr(getattr(self.config, "args", None), "which", None)
        return command in BUILDS and getattr(config, "incremental_strategy", None) == "microbatch"

    def check_configuration(self, node: Any) -> None:
        """Refuse a node whose database, layout or settings can't be.

        Raises:
            DbtRuntimeError: names the node, and the key of its configuration.
        """
        default = self.config.credentials.file_format
        databases.check(node)
        layout.session_of(node.config, default, node.unique_id)
        if node.language == "python":
            PythonConfig.of(node.to_dict(), default)
