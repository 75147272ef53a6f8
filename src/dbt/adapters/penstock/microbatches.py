"""Log the errors of microbatch models. dbt itself shows these errors as "ERROR" without a message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dbt.adapters.events.logging import AdapterLogger
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import layout
from dbt.adapters.penstock.python_submissions.config import PythonConfig

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

logger = AdapterLogger("penstock")
BUILDS = {"run", "build", "retry"}


@contextmanager
def log_errors(adapter: PenstockAdapter, name: str, node: Any) -> Iterator[None]:
    """Check the configuration of a microbatch model before the `with` block, and log a batch's errors in the block.

    Args:
        adapter: provides the command and the profile.
        name: the name of the node's connection.
        node: the running node or, for a microbatch model, the running batch.

    Raises:
        AdapterError: the configuration of a microbatch model is not valid.
    """
    config = getattr(node, "config", None)
    command = getattr(getattr(adapter.config, "args", None), "which", None)
    if command in BUILDS and getattr(config, "incremental_strategy", None) == "microbatch":
        adapter.catalogs.check_node(node, adapter.get_macro_resolver())
        check_configuration(node, adapter.writer.default_format(node.database))
    try:
        yield
    except DbtRuntimeError as error:
        if getattr(node, "batch", None):
            logger.error(f"{name}: {error.msg}")
        raise


def check_configuration(node: Any, default_format: str) -> None:
    """Check the table layout and the Spark settings that a node configures.

    Raises:
        AdapterError: a value is not valid. The error names the node and the key.
    """
    layout.session_settings(node.config, default_format, node.unique_id)
    if node.language == "python":
        PythonConfig.parse(node.to_dict(), default_format)
