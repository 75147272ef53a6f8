"""The macros that the wheel brings into every project: a project's own macros of the same names break none of them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import nodes

from tests.support.dbt_jinja import CompilationError, DbtLike, environment

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
INTERNAL = "penstock__"
WHEEL = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
FOLDERS = sorted(WHEEL["force-include"])
USES = {
    "hints(broadcast('my zones'), rebalance(4))": "/*+ broadcast(`my zones`), rebalance(4) */",
    "hints(broadcast_if_small(relation, 'z'))": "/*+ broadcast(z) */",
    "hints(merge('a'), coalesce(2))": "/*+ merge(a), coalesce(2) */",
    "hints(shuffle_hash('a'), shuffle_replicate_nl('b'))": "/*+ shuffle_hash(a), shuffle_replicate_nl(b) */",
    "hints(repartition(8, 'a'))": "/*+ repartition(8, a) */",
    "hints(repartition_by_range('a'))": "/*+ repartition_by_range(a) */",
    "layout(monthly_partitions('month'), clustered('zone'))": {"partition_by": ["month"], "clustered_by": ["zone"]},
    "layout(sorted_within('a'), target_file_size(64))": {"sorted_within": ["a"], "target_file_size_mb": 64},
    "skipping_stats(['a', 'b'])": {"tblproperties": {"delta.dataSkippingStatsColumns": "a,b"}},
    "adaptive(coalesce=true)": {"spark_conf": {"spark.sql.adaptive.coalescePartitions.enabled": "true"}},
    "compact()": "",
    "cluster()": "",
    "vacuum()": "",
    "analyze()": "",
}


def shipped() -> Iterator[str]:
    """Yield the text of each file, its generic tests as macros."""
    for path in [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.sql"))]:
        text = re.sub(r"\{% test (\w+)", r"{% macro test_\1", path.read_text())
        yield text.replace("{% endtest %}", "{% endmacro %}")


NAMES = {name for text in shipped() for name in re.findall(r"\{% macro (\w+)", text)}
PUBLIC = {name for name in NAMES if not name.startswith((INTERNAL, "test_"))}


def project(own: dict[str, str]) -> DbtLike:
    """Return macros as dbt finds them: all by name in one context, a project's own before the shipped ones."""
    made = environment()
    made.globals["var"] = lambda name, default: default
    made.globals["log"] = lambda text, info: None
    made.globals["graph"] = {"nodes": {}}
    made.globals["adapter"] = type("Adapter", (), {"table_bytes": staticmethod(lambda relation: 1)})()
    made.globals["relation"] = {"schema": "s", "identifier": "zones"}
    made.globals |= {"execute": True, "model": {"name": "m"}, "project_name": "shop", "target": {"schema": "s"}}
    made.globals["api"] = {"Relation": {"create": lambda schema, identifier: f"{schema}.{identifier}"}}
    made.globals["load_relation"] = lambda relation: None
    for text in [*shipped(), *own.values()]:
        module = made.from_string(text).make_module(made.globals, shared=True)
        made.globals |= {name: macro for name, macro in vars(module).items() if not name.startswith("_")}
    return made


@pytest.mark.parametrize(("expression", "expected"), USES.items())
def test_a_projects_own_macros_break_no_shipped_one(expression: str, expected: Any) -> None:
    """The project has macros of all names that the expression doesn't use, internal ones without their prefix too."""
    used = set(re.findall(r"(\w+)\(", expression))
    names = (PUBLIC | {name.removeprefix(INTERNAL) for name in NAMES if name.startswith(INTERNAL)}) - used
    text = "{% macro NAME() %}{{ exceptions.raise_compiler_error('NAME of the project') }}{% endmacro %}"
    made = project({name: text.replace("NAME", name) for name in names})
    value = made.compile_expression(expression, undefined_to_none=False)()
    assert (value.strip() if isinstance(value, str) else value) == expected
    with pytest.raises(CompilationError, match="refuse of the project"):
        made.compile_expression("refuse()")()


def test_a_projects_own_macro_replaces_the_shipped_one_where_the_project_calls_it() -> None:
    own = {"merge": "{% macro merge(a, b) %}{{ return(a ~ b) }}{% endmacro %}"}
    assert project(own).compile_expression("merge('x', 'y') ~ hints(broadcast('a'))")() == "xy/*+ broadcast(a) */"


def test_shipped_macros_call_internal_ones_alone() -> None:
    made = environment()
    for text in shipped():
        called = {call.node.name for call in made.parse(text).find_all(nodes.Call) if isinstance(call.node, nodes.Name)}
        assert all(name.startswith(INTERNAL) for name in called & NAMES), text


def test_each_public_macro_is_used_above_and_in_the_docs() -> None:
    docs = (ROOT / "docs" / "reference" / "layout.md").read_text()
    assert {name for name in PUBLIC if not re.search(rf"\b{name}\b", docs)} == set()
    assert {name for use in USES for name in re.findall(r"(\w+)\(", use)} >= PUBLIC


def test_no_shipped_name_is_dbts_own() -> None:
    """An internal macro of dbt or dbt-spark with one of these names would be replaced in every project."""
    import dbt.include.global_project as core
    import dbt.include.spark as spark

    import dbt.include.penstock as adapter

    for package in (core, spark, adapter):
        for path in Path(package.PACKAGE_PATH).rglob("*.sql"):
            found = set(re.findall(r"\{%-?\s*(?:macro|test)\s+(\w+)", path.read_text()))
            assert not found & (NAMES | {name.removeprefix("test_") for name in NAMES}), path
            dispatched = {INTERNAL + name for name in re.findall(r"dispatch\(\s*['\"](\w+)", path.read_text())}
            assert not dispatched & NAMES, path
