"""dbt's comment before every statement, with the node first.

Spark's UI shows the beginning of the statement of a job or SQL execution. dbt's default comment has the node at its
end, after a hundred characters that are the same for all nodes.
"""

from __future__ import annotations

from dbt.adapters.base.query_headers import MacroQueryStringSetter
from dbt.adapters.contracts.connection import DEFAULT_QUERY_COMMENT

# Begins the auxiliary statements of a node, so that they are not taken for its main statement.
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
    """The project's `query-comment` if it has one; otherwise dbt's default comment with the node first."""

    def _get_comment_macro(self) -> str | None:
        own = super()._get_comment_macro()
        return NODE_FIRST if own == DEFAULT_QUERY_COMMENT else own
