"""docs/how-to/troubleshooting.md quotes messages that penstock and Spark really print."""

from __future__ import annotations

import ast
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest
from pyspark.errors.error_classes import ERROR_CLASSES_MAP

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "how-to" / "troubleshooting.md").read_text()
MESSAGES = re.findall(r"^```text\n((?:needed|found|do): .+)\n```$", PAGE, re.MULTILINE)
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
    """Return the fixed texts of a message: without its names of parts, and around its placeholders."""
    parts = re.split(r"(?:^|\. |\b)(?:needed|found|do): |…", message)
    return [part.strip(" .") for part in parts if len(part.strip(" .")) >= SHORTEST]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_of_penstock_is_in_the_code(message: str, texts: str) -> None:
    found = fragments(message)
    assert found, message
    for fragment in found:
        assert fragment in texts, fragment


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
    assert len(set(HEADINGS)) == len(HEADINGS)
