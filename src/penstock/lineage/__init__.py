"""Column-level lineage: the columns from which each column of a dbt project is computed."""

from penstock.lineage.graph_builder import graph
from penstock.lineage.lineage_graph import Edge, LineageGraph
from penstock.lineage.origins import Kind, Use

__all__ = ["Edge", "Kind", "LineageGraph", "Use", "graph"]
