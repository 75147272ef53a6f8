"""Translate the PostgreSQL of the published tests' fixtures to Spark SQL.

Only what those fixtures contain is translated: names of types, quoted identifiers, a database in
front of a schema, tables that are updated (Delta) and columns that are added (whose default Delta
gives to new tables alone). Both adapters get the translation alike.
"""

from __future__ import annotations

import re

from tests.conformance import adapters

TYPES = {
    r"timestamp without time zone": "timestamp",
    r"text": "string",
    r"double precision": "double",
    r"numeric": "decimal(28,6)",
}
LITERAL = re.compile(r"('(?:[^']|'')*')")
UNTYPED = r"(?<!date)(?<!date )(?<!timestamp)(?<!timestamp )"
DAY = re.compile(rf"{UNTYPED}('\d{{4}}-\d\d-\d\d')", re.IGNORECASE)
INSTANT = re.compile(rf"{UNTYPED}('\d{{4}}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[^']*')", re.IGNORECASE)


def _code(text: str) -> str:
    """Translate a piece of SQL that holds no string literal."""
    text = re.sub(r"\{database\}\.|\{\{\s*target\.database\s*\}\}\.|\bNone\.", "", text)
    text = re.sub(r'"([^"\n]+)"', r"`\1`", text)
    for postgres, spark in TYPES.items():
        text = re.sub(rf"(?<![\w`.]){postgres}(?![\w`(])", spark, text, flags=re.IGNORECASE)
    return text


def spark(sql: str) -> str:
    """One or more statements in Spark SQL; string literals stay as they are."""
    parts = LITERAL.split(sql)
    return "".join(part if index % 2 else _code(part) for index, part in enumerate(parts))


def statements(sql: str) -> list[str]:
    """The single statements of a script, since Thrift takes one at a time."""
    split: list[str] = [""]
    for index, part in enumerate(LITERAL.split(sql)):
        pieces = [part] if index % 2 else re.sub(r"--[^\n]*", "", part).split(";")
        split[-1] += pieces[0]
        split.extend(pieces[1:])
    return [_table(text.strip()) for text in split if text.strip()]


def _table(statement: str) -> str:
    """Add the table format to a statement that creates a table; drop the default of an added column.

    Spark inserts text into a date of Delta's, but not of Iceberg's. There the text becomes a literal of its type.
    """
    if adapters.COLUMN == "iceberg" and re.match(r"insert into\b", statement, re.IGNORECASE):
        return INSTANT.sub(r"timestamp\1", DAY.sub(r"date\1", statement))
    if re.match(r"alter table\b.*\badd column\b", statement, re.IGNORECASE | re.DOTALL):
        return re.sub(r"\s+default\s+('[^']*'|\w+)\s*$", "", statement, flags=re.IGNORECASE)
    if not re.match(r"create table\b(?!.*\busing\b)", statement, re.IGNORECASE | re.DOTALL):
        return statement
    selected = re.match(r"(create table\s+\S+\s+)(as\s.*)", statement, re.IGNORECASE | re.DOTALL)
    using = f"using {adapters.TABLE_FORMAT}"
    return f"{selected[1]}{using} {selected[2]}" if selected else f"{statement} {using}"
