"""What a SQL statement does, as far as its text tells: reads only, changes its session, writes a table.

Where the text leaves a doubt the answer is the careful one: not read-only.
"""

from __future__ import annotations

import re

from penstock.delta.conflicts import CONFLICTS

QUOTED_NAME = re.compile("`(?:``|[^`])*`")
# A name is passed over: a path in one, as of `/folder/*.json`, begins no comment.
COMMENT_OR_LITERAL = re.compile(
    rf"""/\*.*?\*/|--[^\n]*|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|{QUOTED_NAME.pattern}""", re.DOTALL
)
PIECE = re.compile(
    r"""/\*.*?\*/|--[^\n]*|\b[rR]'[^']*'|\b[rR]"[^"]*"|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:``|[^`])*`"""
    r"""|;|\)|[^\s;)'"`/-]+|\S""",
    re.DOTALL,
)
READS = re.compile(r"[\s(]*(select|show|describe|desc|explain|values|table|with)\b", re.IGNORECASE)
# After a WITH clause any statement that changes rows may follow.
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
MAKES_TEMPORARY_VIEW = re.compile(r"[\s(]*create\s+(or\s+replace\s+)?temp(orary)?\s+view\b", re.IGNORECASE)
NO_ROWS = re.compile(r"\s*select\s+(?:\d+|'')\s+as\s+\w+\s+where\s+false\s*", re.IGNORECASE)
RENAMES = re.compile(r"\brename\s+to\b", re.IGNORECASE)
# What a replacement of a view meets when another run replaces it at the same moment.
GONE_OR_BACK = ("TABLE_OR_VIEW_NOT_FOUND", "TABLE_OR_VIEW_ALREADY_EXISTS")


def stripped(sql: str) -> str:
    """Return a statement without its comments, its literals empty."""
    instead = {"/": " ", "-": " ", "'": "''", '"': "''"}
    return COMMENT_OR_LITERAL.sub(lambda found: instead.get(found[0][0], found[0]), sql)


def _semicolons(sql: str) -> tuple[list[int], list[int]]:
    """Return where semicolons end the statement or a query in parentheses, and where others are."""
    last: list[int] = []
    between: list[int] = []
    pending: list[int] = []
    for found in PIECE.finditer(sql):
        piece = found[0]
        if piece == ";":
            pending.append(found.start())
        elif not piece.startswith(("--", "/*")):
            (last if piece == ")" else between).extend(pending)
            pending = []
    return last + pending, between


def without_last_semicolons(sql: str) -> str:
    """Return a statement without the semicolons that end it or a query in parentheses; all else is where it was."""
    last = _semicolons(sql)[0] if ";" in sql else []
    if not last:
        return sql
    starts = [0, *(place + 1 for place in last)]
    return " ".join(sql[start:end] for start, end in zip(starts, [*last, None], strict=True)).rstrip()


def following(sql: str) -> str | None:
    """Return what comes after a statement's end, when that is another statement."""
    _, between = _semicolons(sql) if ";" in sql else ([], [])
    return sql[between[0] + 1 :].strip() if between else None


def reads_only(sql: str) -> bool:
    """Whether a statement surely changes nothing, so that sending it twice is the same as once."""
    bare = QUOTED_NAME.sub("``", stripped(sql))
    if "/*" in bare or "*/" in bare:  # nested comments: Spark reads them otherwise than the pattern does
        return False
    found = READS.match(bare)
    return found is not None and not (found[1].lower() == "with" and WRITES.search(bare))


def changes_session(sql: str) -> bool:
    """Whether a statement leaves something in its session: a setting, a schema in use, a temporary view."""
    return bool(CHANGES_SESSION.search(stripped(sql)))


def target(sql: str) -> str | None:
    """The table or view that a statement writes; None when its text doesn't say."""
    found = TARGET.search(stripped(sql))
    return found[1] if found else None


def finds_nothing(sql: str) -> bool:
    """Return whether a query surely has no rows: one literal, `where false`."""
    return NO_ROWS.fullmatch(stripped(sql)) is not None


def changes(sql: str) -> frozenset[str] | None:
    """Return the relations that a statement may change, as `schema.name` in lower case.

    Returns:
        None when the text does not tell, so that any relation may have changed. Settings and temporary views
        change no relation that has a schema.
    """
    bare = stripped(sql)
    if reads_only(sql) or SETS.match(bare) or MAKES_TEMPORARY_VIEW.match(bare):
        return frozenset()
    if RENAMES.search(bare):
        return None
    # A statement may have several targets (`from a insert into b … insert into c …`).
    targets = [found[1].replace("`", "").lower() for found in TARGET.finditer(bare)]
    # `then update set` in a MERGE looks like a target.
    names = [name.split(".") for name in targets if name != "set"]
    # Which relation an unqualified name or a path is, only Spark can tell.
    if not names or any(len(parts) < 2 for parts in names) or any("/" in name for name in targets):
        return None
    return frozenset(".".join(parts[-2:]) for parts in names)


def overtaken(sql: str, words: str) -> bool:
    """Whether a whole table or view was not replaced only because another run replaced it at the same moment.

    Args:
        sql: the statement.
        words: the error's.
    """
    found = REPLACES.match(stripped(sql))
    if found is None:
        return False
    if found[1].lower() == "table":
        return any(text in words for text in CONFLICTS)
    name = found[2].replace("`", "").rpartition(".")[2].lower()
    return any(text in words for text in GONE_OR_BACK) and f"`{name}`" in words.lower()
