"""dbt's comment before every statement, with the node first.

Spark's UI describes jobs and SQL executions by their statement and shows its beginning; dbt's own
default names the node last, after a hundred characters that are the same for all.
"""

from __future__ import annotations

from dbt.adapters.base.query_headers import MacroQueryStringSetter
from dbt.adapters.contracts.connection import DEFAULT_QUERY_COMMENT

# Begins statements that a node needs and that aren't its work, so that its plan is told from theirs.
ASIDE = "/* penstock, aside */ "
NODE_FIRST = """
{%- set said = {'node_id': node.unique_id} if node is not none else {'connection_name': connection_name} -%}
{%- do said.update(
    run=invocation_id,
    app='dbt',
    dbt_version=dbt_version,
    profile_name=target.get('profile_name'),
    target_name=target.get('target_name'),
) -%}
{{ return(tojson(said)) }}
"""


class NodeFirst(MacroQueryStringSetter):
    """The project's `query-comment` when it has one, else dbt's default with the node first."""

    def _get_comment_macro(self) -> str | None:
        own = super()._get_comment_macro()
        return NODE_FIRST if own == DEFAULT_QUERY_COMMENT else own
