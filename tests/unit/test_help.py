"""`penstock help`, and the messages that lead to it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from penstock import troubleshooting

EXAMPLES = re.findall(r"^penstock help +(\S.*?) +#", troubleshooting.read_page(), re.MULTILINE)


def penstock(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder."""
    command = [sys.executable, "-m", "penstock.cli.main", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_without_an_argument_all_entries_are_listed_by_section(tmp_path: Path) -> None:
    done = penstock(tmp_path, "help")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for entry in troubleshooting.entries():
        assert f"  {', '.join(entry.names)}" in lines[lines.index(entry.section) :]


def test_the_examples_of_the_page_find_entries() -> None:
    assert len(EXAMPLES) == 3
    for example in EXAMPLES:
        assert troubleshooting.find(example), example


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (["no-free-port"], "No free port"),
        (["free", "port"], "No free port"),
        (["needed: a free port for ui. found: 1 to 2 are taken. do: set server.ports"], "No free port"),
        (
            ["found:", "a", "file", "name", "without", "a", "month.", "add", "--month", "2021-01"],
            "The file has no month",
        ),
    ],
)
def test_one_entry_is_printed(tmp_path: Path, arguments: list[str], title: str) -> None:
    done = penstock(tmp_path, "help", *arguments)
    assert (done.returncode, done.stderr, done.stdout.splitlines()[0]) == (0, "", title)


def test_several_entries_are_listed(tmp_path: Path) -> None:
    listed = [line.strip() for line in penstock(tmp_path, "help", "heap memory").stdout.splitlines()]
    assert listed[:5] == [
        "Start of the server",
        "the-server-doesnt-start",
        "",
        "Spark: errors while a query runs",
        "outofmemoryerror-java-heap-space",
    ]


def test_an_unknown_entry_is_refused_with_similar_names(tmp_path: Path) -> None:
    done = penstock(tmp_path, "help", "no free prot")
    assert (done.returncode, done.stdout) == (1, "")
    assert "needed: an entry of the troubleshooting page\n  found: `no free prot`\n" in done.stderr
    assert "do:    did you mean `no-free-port`? Type `penstock help` for all entries" in done.stderr


def test_a_command_leads_to_its_own_help(tmp_path: Path) -> None:
    assert penstock(tmp_path, "help", "land").stdout == "`penstock land --help` explains this command.\n"


def test_an_error_ends_with_the_command_that_prints_its_entry(tmp_path: Path) -> None:
    (tmp_path / "penstock.yml").write_text("nonsense: 1\n")
    done = penstock(tmp_path, "status")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "  more:  penstock help a-key-of-penstockyml-is-unknown"


def test_the_doctor_names_the_entry_of_a_finding(tmp_path: Path) -> None:
    (tmp_path / "penstock.yml").write_text("server: {java_home: /nowhere}\n")
    done = penstock(tmp_path, "doctor")
    assert done.returncode == 1
    found, do, more = re.findall(r"^(bad  Java: .*)\n +(do: .*)\n +(more: .*)$", done.stdout, re.MULTILINE)[0]
    assert "no Java there" in found and "pip install" in do
    assert more == "more: penstock help java-17-or-21"
