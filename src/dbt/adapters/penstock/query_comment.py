"""dbt's query comment with the node's id first, and the tags of Spark Connect's jobs.

dbt writes the comment before every statement. For each job and SQL execution, Spark's UI shows only the beginning of
the statement. dbt's default comment begins with a hundred characters that are the same for all nodes and ends with the
node's id. With the default comment, the UI would not show which node sent the statement.
"""

from __future__ import annotations

from dbt.adapters.base.query_headers import MacroQueryStringSetter
from dbt.adapters.contracts.connection import DEFAULT_QUERY_COMMENT
from dbt_common.invocation import get_invocation_id

from dbt.adapters.penstock.error_messages import current_node

# This comment begins a node's auxiliary statements, such as post-hooks. The adapter captures only the plan of the main
# statement, which has no such comment.
AUXILIARY = "/* penstock, auxiliary */ "
NODE_FIRST = """
{%- set comment = {'node_id': node.unique_id} if node is not none else {'connection_name': connection_name} -%}
{%- do comment.update(
    run=invocation_id,
    app='dbt',
    dbt_version=dbt_version,
    profile_name=target.get('profile_name'),
    target_name=target.get('target_name'),
) -%}
{{ return(tojson(comment)) }}
"""


class NodeFirst(MacroQueryStringSetter):
    """Moves the node's id to the front of dbt's default comment. A project's own `query-comment` stays unchanged."""

    def _get_comment_macro(self) -> str | None:
        own = super()._get_comment_macro()
        return NODE_FIRST if own == DEFAULT_QUERY_COMMENT else own


def job_tag(node: str) -> str:
    """Return the tag that this dbt command gives to the Spark jobs of a node's statements.

    Args:
        node: the node's unique id.
    """
    return f"{node}:{get_invocation_id()}".replace(",", "_")


def job_tags(sql: str) -> tuple[str, ...]:
    """Return the tags of a statement's jobs.

    An auxiliary statement has no tags, so that its plan is not taken for the plan of the node's main statement.
    """
    return () if AUXILIARY in sql else (job_tag(current_node()),)
