"""Find out from a SQL statement's text whether the statement only reads, changes its session, or writes a table.

If the text is ambiguous, the statement counts as a statement that writes.
"""

from __future__ import annotations

import re

from penstock.delta.conflicts import CONFLICTS

QUOTED_NAME = re.compile("`(?:``|[^`])*`")
# The pattern matches quoted names too, so that `/*` in a quoted path such as `/folder/*.json` does not begin a comment.
COMMENT_OR_LITERAL = re.compile(
    rf"""/\*.*?\*/|--[^\n]*|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|{QUOTED_NAME.pattern}""", re.DOTALL
)
TOKEN = re.compile(
    r"""/\*.*?\*/|--[^\n]*|\b[rR]'[^']*'|\b[rR]"[^"]*"|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:``|[^`])*`"""
    r"""|;|\)|[^\s;)'"`/-]+|\S""",
    re.DOTALL,
)
READS = re.compile(r"[\s(]*(select|show|describe|desc|explain|values|table|with)\b", re.IGNORECASE)
QUERIES = re.compile(r"[\s(]*(select|values|table|with)\b", re.IGNORECASE)
# A statement that begins with a WITH clause may also change rows.
WRITES = re.compile(r"\b(insert|merge|update|delete)\b", re.IGNORECASE)
CHANGES_SESSION = re.compile(
    r"^[\s(]*(set|reset|use|add|cache|uncache|clear|refresh|declare|execute|begin)\b"
    r"|\b(temporary|temp)\s+(view|function|variable)\b",
    re.IGNORECASE,
)
NAME = r"((?:`[^`]+`|\w+)(?:\.(?:`[^`]+`|\w+))*)"
TARGET = re.compile(
    r"\b(?:insert\s+(?:into|overwrite)(?:\s+table)?|merge\s+into|delete\s+from|update|truncate\s+table"
    r"|(?:create|create\s+or\s+replace|replace|alter|drop)\s+(?:external\s+)?(?:table|view)"
    rf"(?:\s+if\s+(?:not\s+)?exists)?)\s+{NAME}",
    re.IGNORECASE,
)
REPLACES = re.compile(rf"[\s(]*create\s+or\s+replace\s+(table|view)\s+{NAME}", re.IGNORECASE)
SETS = re.compile(r"[\s(]*(set|reset)\b", re.IGNORECASE)
CREATES_TEMPORARY_VIEW = re.compile(r"[\s(]*create\s+(or\s+replace\s+)?temp(orary)?\s+view\b", re.IGNORECASE)
NO_ROWS = re.compile(r"\s*select\s+(?:\d+|'')\s+as\s+\w+\s+where\s+false\s*", re.IGNORECASE)
RENAMES = re.compile(r"\brename\s+to\b", re.IGNORECASE)
# Errors of a statement that replaces a view while another run replaces the same view.
REPLACED_VIEW = ("TABLE_OR_VIEW_NOT_FOUND", "TABLE_OR_VIEW_ALREADY_EXISTS")


def stripped(sql: str) -> str:
    """Return a statement without its comments, and with every string literal emptied."""
    replacements = {"/": " ", "-": " ", "'": "''", '"': "''"}
    return COMMENT_OR_LITERAL.sub(lambda match: replacements.get(match[0][0], match[0]), sql)


def _semicolons(sql: str) -> tuple[list[int], list[int]]:
    """Return the positions of semicolons in two lists.

    The first list has the semicolons that end the last statement or a query in parentheses. The second list has the
    semicolons between statements.
    """
    last: list[int] = []
    between: list[int] = []
    pending: list[int] = []
    for match in TOKEN.finditer(sql):
        token = match[0]
        if token == ";":
            pending.append(match.start())
        elif not token.startswith(("--", "/*")):
            (last if token == ")" else between).extend(pending)
            pending = []
    return last + pending, between


def without_last_semicolons(sql: str) -> str:
    """Return a statement without the semicolons at its end and at the end of queries in parentheses."""
    last = _semicolons(sql)[0] if ";" in sql else []
    if not last:
        return sql
    starts = [0, *(position + 1 for position in last)]
    return " ".join(sql[start:end] for start, end in zip(starts, [*last, None], strict=True)).rstrip()


def next_statement(sql: str) -> str | None:
    """Return the text after the end of the first statement, or None if there is no second statement."""
    _, between = _semicolons(sql) if ";" in sql else ([], [])
    return sql[between[0] + 1 :].strip() if between else None


def reads_only(sql: str) -> bool:
    """Return whether a statement certainly changes nothing. Such a statement may be sent twice."""
    bare = QUOTED_NAME.sub("``", stripped(sql))
    if "/*" in bare or "*/" in bare:  # nested comments, which the pattern does not support
        return False
    read = READS.match(bare)
    return read is not None and not (read[1].lower() == "with" and WRITES.search(bare))


def is_query(sql: str) -> bool:
    """Return whether a statement is certainly a query.

    Commands such as SHOW are not queries, because Spark runs them when it analyzes them.
    """
    return reads_only(sql) and QUERIES.match(stripped(sql)) is not None


def changes_session(sql: str) -> bool:
    """Return whether a statement changes its session, for example a setting, the schema or a temporary view."""
    return bool(CHANGES_SESSION.search(stripped(sql)))


def written_table(sql: str) -> str | None:
    """Return the table or view that a statement writes, or None if the text does not name it."""
    match = TARGET.search(stripped(sql))
    return match[1] if match else None


def finds_nothing(sql: str) -> bool:
    """Return whether a query certainly has no rows, because it selects one literal `where false`."""
    return NO_ROWS.fullmatch(stripped(sql)) is not None


def changed_relations(sql: str) -> frozenset[str] | None:
    """Return the relations that a statement may change, as `schema.name` in lower case.

    Returns:
        The names of the relations, or None if the text does not name them, because then any relation may have changed.
        The set is empty for a statement that only reads. The set is also empty for a statement that changes only
        settings or temporary views, because these have no schema.
    """
    bare = stripped(sql)
    if reads_only(sql) or SETS.match(bare) or CREATES_TEMPORARY_VIEW.match(bare):
        return frozenset()
    if RENAMES.search(bare):
        return None
    # A statement may have several targets (`from a insert into b … insert into c …`).
    targets = [match[1].replace("`", "").lower() for match in TARGET.finditer(bare)]
    # In `then update set` of a MERGE, the word `set` looks like a target.
    names = [name.split(".") for name in targets if name != "set"]
    # Only Spark knows the relation of an unqualified name or a path.
    if not names or any(len(parts) < 2 for parts in names) or any("/" in name for name in targets):
        return None
    return frozenset(".".join(parts[-2:]) for parts in names)


def was_replaced_by_another_run(sql: str, message: str) -> bool:
    """Return whether a statement failed because another run replaced the same table or view at the same time.

    Args:
        sql: the statement.
        message: the statement's error message.
    """
    replaced = REPLACES.match(stripped(sql))
    if replaced is None:
        return False
    if replaced[1].lower() == "table":
        return any(text in message for text in CONFLICTS)
    name = replaced[2].replace("`", "").rpartition(".")[2].lower()
    return any(text in message for text in REPLACED_VIEW) and f"`{name}`" in message.lower()
