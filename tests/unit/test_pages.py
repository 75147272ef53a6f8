"""Tests of tests/support/pages.py: the steps of a page, and what counts as printed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.pages import Command, File, Reader, first_missing, steps

PAGE = """
# A page

```sql title="models/a.sql"
select 1
```

```console
$ cd models && export SHOWN=yes
$ cat a.sql
select …
$ echo one \\
    two; ls nowhere
one two
… do: …
```

```python
not = "a step"
```
"""


def test_the_steps_of_a_page() -> None:
    assert list(steps(PAGE)) == [
        File("models/a.sql", "select 1\n"),
        Command("cd models && export SHOWN=yes", ()),
        Command("cat a.sql", ("select …",)),
        Command("echo one      two; ls nowhere", ("one two", "… do: …")),
    ]


@pytest.mark.parametrize(
    ("shown", "fails"), [("… do: write it", True), ("Done. PASS=1 FAIL=1", True), ("Done. PASS=1 ERROR=0", False)]
)
def test_a_command_that_is_meant_to_fail(shown: str, fails: bool) -> None:
    assert Command("x", (shown,)).fails is fails


@pytest.mark.parametrize(
    ("printed", "line", "found"),
    [
        ("3 of 8 OK created x [built 2024-01 in 3.1s]", "… OK created x … [built 2024-01 in …]", True),
        ("3 of 8 OK created x [built 2024-02 in 3.1s]", "… OK created x … [built 2024-01 in …]", False),
        ("a   b  c", "a b … c", True),
    ],
)
def test_a_line_is_compared(printed: str, line: str, found: bool) -> None:
    assert (first_missing(printed, [line]) is None) == found


def test_lines_are_compared_in_order() -> None:
    assert first_missing("a\nb\nc", ("a", "c")) is None
    assert first_missing("a\nb\nc", ("c", "a")) == "a"


def test_lines_of_nodes_are_compared_in_any_order() -> None:
    printed = "head\n1 PASS b\n2 PASS a\nend"
    assert first_missing(printed, ("head", "… PASS a", "… PASS b", "end")) is None
    assert first_missing(printed, ("… PASS a", "head")) == "head"
    assert first_missing(printed, ("… PASS a", "… PASS a")) == "… PASS a"


def reader(folder: Path) -> Reader:
    return Reader(folder, os.environ)


def test_a_reader_keeps_the_folder_and_the_variables(tmp_path: Path) -> None:
    made = reader(tmp_path)
    made.follow('```sql title="models/a.sql"\nselect 1\n```\n```console\n$ cd models\n$ export SHOWN="1 2"\n```\n')
    assert made.folder == tmp_path / "models"
    made.follow('```console\n$ echo "$SHOWN"; cat a.sql\n1 2\nselect 1\n```\n')


@pytest.mark.parametrize("page", ["$ echo one\ntwo\n", "$ false\n", "$ true\ndo: something else\n"])
def test_a_page_that_is_wrong_fails(tmp_path: Path, page: str) -> None:
    with pytest.raises(AssertionError):
        reader(tmp_path).follow(f"```console\n{page}```\n")


def test_a_process_in_the_background_isnt_waited_for(tmp_path: Path) -> None:
    made = reader(tmp_path)
    made.follow("```console\n$ sleep 60 & echo $! > pid\n```\n")
    os.kill(int((tmp_path / "pid").read_text()), 9)
