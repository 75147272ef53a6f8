"""The statements that each adapter builds a constrained table with, as the constraint tests expect them.

dbt-spark replaces the table, then alters it: a row that breaks a rule is in the table by then.
penstock puts the rules into the one statement, whose commit holds rows and rules or neither, and quotes names.
Iceberg has no rules of tables. There the statement fails at the first row that breaks one.
"""

from __future__ import annotations

from tests.conformance.adapters import COLUMN, IS_PENSTOCK, TABLE_FORMAT

COLOR_AFTER_FAILURE = "blue" if IS_PENSTOCK else "red"

SELECT = """
select {columns} from (
{comment} select 'blue' as {color}, 1 as id, '2019-01-01' as date_day
) as model_subq
"""
DEPENDS = "-- depends_on: <foreign_key_model_identifier>\n"
# The first twelve digits of the MD5 of each expression.
POSITIVE, AT_LEAST_ONE, BLUE = "check_971d06b5efd1", "check_41ba51267f0f", "check_7a7cced16b31"


def name(column: str) -> str:
    """A column as the adapter writes it."""
    return f"`{column}`" if IS_PENSTOCK or column == "from" else column


def of_columns() -> str:
    """Rules that stand at a column."""
    rules = {"id_not_null": f"{name('id')} is not null", f"id_{POSITIVE}": "(id > 0)", f"id_{AT_LEAST_ONE}": "id >= 1"}
    return ddl(["id", "color", "date_day"], "color", DEPENDS, rules)


def of_model() -> str:
    """Rules that stand at the model."""
    rules = {POSITIVE: "(id > 0)", AT_LEAST_ONE: "id >= 1", "id_not_null": f"{name('id')} is not null"}
    return ddl(["id", "color", "date_day"], "color", DEPENDS, rules)


def of_quoted_column() -> str:
    """A rule of a column whose name is a keyword."""
    rules = {
        BLUE: "(`from` = \\'blue\\')",
        "id_not_null": f"{name('id')} is not null",
        "from_not_null": "`from` is not null",
    }
    return ddl(["id", "from", "date_day"], "`from`", "", rules)


def ddl(columns: list[str], color: str, comment: str, rules: dict[str, str]) -> str:
    """The statement that builds the table; dbt-spark's leaves the rules to others after it.

    Args:
        rules: the expression of each rule by its name, escaped as in a literal.
    """
    select = SELECT.format(columns=", ".join(map(name, columns)), color=color, comment=comment)
    create = f"create or replace table <model_identifier> using {TABLE_FORMAT}"
    if COLUMN == "iceberg":
        return f"{create} as select * from ({select}) as dbt_internal_checked where {' and '.join(checks(rules))}"
    properties = ", ".join(f"'delta.constraints.{name}' = '{rule}'" for name, rule in rules.items())
    own = f" tblproperties ({properties})" if IS_PENSTOCK else ""
    return f"{create}{own} as {select}"


def checks(rules: dict[str, str]) -> list[str]:
    """Return a condition for each rule. It fails at a row that breaks the rule."""
    return [
        f"case when {rule.replace(chr(92), '')} then true "
        f"else cast(raise_error('check constraint {name} ({rule}) violated') as boolean) end"
        for name, rule in rules.items()
    ]
