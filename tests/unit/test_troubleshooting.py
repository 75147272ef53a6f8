"""docs/how-to/troubleshooting.md quotes messages that penstock and Spark really print, and these name its entries."""

from __future__ import annotations

import ast
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pyspark
import pytest
from markdown.extensions.toc import slugify  # type: ignore[import-untyped]
from pyspark.errors.error_classes import ERROR_CLASSES_MAP

from penstock import troubleshooting
from penstock.troubleshooting import Entry

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "how-to" / "troubleshooting.md").read_text()
ENTRIES = troubleshooting.entries()
QUOTING_PENSTOCK = [entry for entry in ENTRIES if entry.quotes_penstock]
HEADINGS = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
CONDITION = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")
NO_CONDITIONS = {"JAVA_HOME"}
# The shortest text between two placeholders that identifies a message.
SHORTEST = 6


def literals(tree: ast.AST) -> Iterator[str]:
    """Yield the fixed texts of a module: constants, and the parts of f-strings around their values."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.fixture(scope="module")
def texts() -> str:
    """All fixed texts of src/, one on each line."""
    return "\n".join(text for path in (ROOT / "src").rglob("*.py") for text in literals(ast.parse(path.read_text())))


def fragments(message: str) -> list[str]:
    """Return the fixed texts of a quoted message that identify it."""
    return [text for text in troubleshooting.fragments(message) if len(text) >= SHORTEST]


def functions_naming_entries() -> Iterator[tuple[set[str], str]]:
    """Yield the anchors that each function of src/ gives to its errors, and the function's fixed texts."""
    for path in (ROOT / "src").rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef):
                continue
            given = [node for node in ast.walk(function) if _names_entry(node)]
            values = [node.value.value for node in given if isinstance(node.value, ast.Constant)]
            if anchors := {value for value in values if isinstance(value, str) and value}:
                yield anchors, "\n".join(literals(function))


def _names_entry(node: ast.AST) -> TypeGuard[ast.keyword | ast.Assign]:
    """Return whether a node is an argument `entry`, or sets the variable that is given as this argument."""
    if isinstance(node, ast.Assign):
        return [getattr(target, "id", "") for target in node.targets] == ["entry"]
    return isinstance(node, ast.keyword) and node.arg == "entry"


@pytest.fixture(scope="module")
def named_entries() -> dict[str, list[str]]:
    """The fixed texts of the functions that name each entry, by its anchor."""
    found: dict[str, list[str]] = {}
    for anchors, text in functions_naming_entries():
        for anchor in anchors:
            found.setdefault(anchor, []).append(text)
    return found


@pytest.mark.parametrize("entry", QUOTING_PENSTOCK, ids=lambda entry: entry.anchor)
def test_a_message_of_penstock_is_in_the_code_and_names_its_entry(
    entry: Entry, named_entries: dict[str, list[str]]
) -> None:
    for message in entry.messages:
        found = fragments(message)
        assert found, message
        functions = named_entries.get(entry.anchor, [])
        assert any(all(fragment in text for fragment in found) for text in functions), found


def test_each_entry_that_the_code_names_is_on_the_page(named_entries: dict[str, list[str]]) -> None:
    assert set(named_entries) <= {entry.anchor for entry in ENTRIES}
    assert len(named_entries) > len(QUOTING_PENSTOCK)


def test_a_message_that_the_code_doesnt_have_is_found(texts: str) -> None:
    assert [part for part in fragments("needed: a teapot of …. found: no …") if part not in texts] == ["a teapot of"]


def test_a_condition_of_spark_exists() -> None:
    """Those of Delta are in a jar that the unit tests don't have."""
    [jar] = (Path(pyspark.__file__).parent / "jars").glob("spark-common-utils_*.jar")
    known = set(json.loads(zipfile.ZipFile(jar).read("error/error-conditions.json"))) | set(ERROR_CLASSES_MAP)
    quoted = re.findall(r"^### .+$|`[A-Z_]+`|\[[A-Z_]+\]", PAGE, re.MULTILINE)
    named = set(CONDITION.findall("\n".join(quoted))) - NO_CONDITIONS
    spark = {name for name in named if not name.startswith("DELTA_")}
    assert {"TABLE_OR_VIEW_NOT_FOUND", "CAST_INVALID_INPUT"} <= spark
    assert spark <= known


def test_there_are_fifty_entries_with_an_anchor_each() -> None:
    assert len(HEADINGS) >= 50
    assert [entry.title for entry in ENTRIES] == HEADINGS
    assert [entry.anchor for entry in ENTRIES] == [slugify(title, "-") for title in HEADINGS]
    names = [name.lower() for entry in ENTRIES for name in entry.names]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.anchor)
def test_an_entry_is_found_by_its_names_and_its_messages(entry: Entry) -> None:
    for query in (entry.anchor, entry.title, *entry.names):
        assert troubleshooting.find(query) == [entry]
    for message in entry.messages:
        assert troubleshooting.find(message.replace("…", "any text")) == [entry]


@pytest.mark.parametrize(
    ("query", "anchors"),
    [
        ("needed: a free port for ui.\n  found: 1 to 2 are taken\n  do:    set server.ports", ["no-free-port"]),
        ("Runtime Error\n needed: a. found: b. do: c. more: penstock help no-executor-came", ["no-executor-came"]),
        ("Database Error [DELTA_METADATA_CHANGED] x", ["delta_concurrent_append-and-delta_metadata_changed"]),
        ("cannot_parse_timestamp", ["cast_invalid_input"]),
        ("ssl_ca", ["tls-without-a-trusted-certificate"]),
        ("Column Missing", ["columns-are-missing"]),
        ("heap memory", ["the-server-doesnt-start", "outofmemoryerror-java-heap-space"]),
        ("teapot", []),
        ("?", []),
    ],
)
def test_an_entry_is_found_by_words_and_pasted_text(query: str, anchors: list[str]) -> None:
    assert [entry.anchor for entry in troubleshooting.find(query)] == anchors


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("[TABLE_OR_VIEW_NOT_FOUND] The table `x` cannot be found.", "TABLE_OR_VIEW_NOT_FOUND"),
        ("[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column `x`", "UNRESOLVED_COLUMN"),
        ("[TASK_FAILED] no\ncaused by: [DIVIDE_BY_ZERO] Division by zero.", "DIVIDE_BY_ZERO"),
        ("Job aborted: java.lang.OutOfMemoryError: Java heap space", "outofmemoryerror-java-heap-space"),
        (
            "ExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: Command exited with "
            "code 137",
            "executorlostfailure-exit-code-137",
        ),
        ("[USER_RAISED_EXCEPTION] TABLE_OR_VIEW_NOT_FOUND without brackets", ""),
        ("needed: a free port for ui. found: 1 to 2 are taken. do: set server.ports", ""),
    ],
)
def test_the_entry_of_a_message_of_spark_is_named(message: str, name: str) -> None:
    assert troubleshooting.name_for_spark(message) == name
    assert not name or len(troubleshooting.find(name)) == 1


def test_an_entry_is_plain_text_in_a_terminal() -> None:
    [entry] = troubleshooting.find("a-key-of-penstockyml-is-unknown")
    shown = troubleshooting.as_plain_text(entry, 60)
    assert shown == (
        "A key of penstock.yml is unknown\n\n"
        "    needed: a valid …. found: unknown key `…`. do: correct …\n\n"
        "Keys are spelled as in penstock.yml (page reference/settings\n"
        "of the documentation). A setting of Spark belongs below\n"
        "`server.spark_conf`."
    )
    for other in ENTRIES:
        assert not re.search(r"```|\]\(|\(\.\.", troubleshooting.as_plain_text(other, 80)), other.title
