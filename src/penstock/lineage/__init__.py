"""Column-level lineage: the columns from which each column of a dbt project is computed.

An origin is one input of a column. A scope is sqlglot's object for a query, a CTE or a subquery, with the tables and
other scopes that it reads (its sources).
"""

from penstock.lineage.graph_builder import graph
from penstock.lineage.lineage_graph import Edge, LineageGraph
from penstock.lineage.origins import Kind, Use

__all__ = ["Edge", "Kind", "LineageGraph", "Use", "graph"]
