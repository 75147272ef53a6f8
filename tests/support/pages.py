"""Follow a page of the documentation: write its files, run its commands, and compare what they print.

A page marks what a reader does with two types of fenced blocks:

* `console`: each line that begins with `$ ` is a command, the lines below it are what it prints. `…` is any text.
  Lines that the page leaves out may be printed too, and lines that begin with `…` in another order. A command whose
  lines contain `do: ` or `FAIL=1` is meant to fail.
* any language with `title="PATH"`: a file that the reader writes, with its whole text.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"^```(?P<language>\w+)(?: title=\"(?P<path>[^\"]+)\")?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
FAILURE = re.compile(r"\bdo: |\b(?:FAIL|ERROR)=[1-9]")
LIMIT = 900


@dataclass(frozen=True)
class File:
    """A file that the reader writes."""

    path: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command that the reader runs, and the lines that the page shows below it."""

    text: str
    shown: tuple[str, ...]

    @property
    def fails(self) -> bool:
        """Whether the page shows that the command fails."""
        return bool(FAILURE.search("\n".join(self.shown)))


def steps(page: str) -> Iterator[File | Command]:
    """Yield the files and commands of a page, in order."""
    for block in FENCE.finditer(page):
        if block["path"]:
            yield File(block["path"], block["text"])
        elif block["language"] == "console":
            yield from _commands(block["text"])


def _commands(block: str) -> Iterator[Command]:
    """Yield the commands of a console block. A line that ends with a backslash continues on the next."""
    for part in re.split(r"^\$ ", block.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield Command(command, tuple(line for line in shown.splitlines() if line.strip(" …")))


def first_missing(printed: str, shown: tuple[str, ...] | list[str]) -> str | None:
    """Return the first line of the page that isn't printed, or None if all are printed.

    Each line is printed below the line before it. Neighboring lines that begin with `…` may come in any order: they
    are dbt's, which runs nodes side by side.
    """
    lines = printed.splitlines()
    begin, used = 0, -1
    taken: set[int] = set()
    for line in shown:
        if not line.startswith("…"):
            begin = used + 1
        fits = (i for i in range(begin, len(lines)) if i not in taken and _pattern(line).search(lines[i]))
        if (found := next(fits, None)) is None:
            return line
        taken.add(found)
        used = max(used, found)
        if not line.startswith("…"):
            begin = found + 1
    return None


def _pattern(line: str) -> re.Pattern[str]:
    """Return the pattern of a line: `…` is any text, and blanks may be of any width."""
    parts = [r"\s+".join(map(re.escape, part.split())) for part in line.split("…")]
    return re.compile(r"\s*.*".join(parts))


class Reader:
    """Someone who follows a page in a shell. The folder and the variables stay from one command to the next."""

    def __init__(self, folder: Path, environment: Mapping[str, str], replaced: Mapping[str, str] | None = None) -> None:
        """Start in a folder.

        Args:
            folder: the folder that the page begins in.
            environment: the environment variables at the beginning.
            replaced: commands to run in place of commands of the page.
        """
        self._home = folder
        self._state = folder / ".shell-state"
        self._environment = dict(environment)
        self._replaced = dict(replaced or {})
        self._state.write_text(f"cd {shlex.quote(str(folder))}\n")

    @property
    def folder(self) -> Path:
        """The current folder."""
        return Path(self._bash("pwd")[1].strip())

    def follow(self, page: str) -> None:
        """Do all steps of a page. Fail at the first command that doesn't print what the page shows."""
        for step in steps(page):
            if isinstance(step, File):
                path = self.folder / step.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(step.text)
            else:
                self._run(step)

    def _run(self, command: Command) -> None:
        code, printed = self._bash(self._replaced.get(command.text, command.text))
        assert (code != 0) == command.fails, f"exit code {code}: {command.text}\n{printed}"
        assert "Traceback" not in printed, f"{command.text}\n{printed}"
        missing = first_missing(printed, command.shown)
        assert missing is None, f"{command.text}\nthe page shows: {missing}\nprinted:\n{printed}"

    def _bash(self, command: str) -> tuple[int, str]:
        """Run a command; return its exit code and output. A file takes the output, so that nothing waits for
        processes that the command leaves in the background."""
        state = shlex.quote(str(self._state))
        script = f'. {state}\n{command}\ncode=$?\n{{ export -p; echo "cd $(printf %q "$PWD")"; }} > {state}\nexit $code'
        output = self._home / ".shell-output"
        with output.open("w") as file:
            done = subprocess.run(
                ["bash", "-c", script],
                cwd=self._home,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=LIMIT,
                check=False,
            )
        return done.returncode, output.read_text()
