"""Build `.venv` from a pinned, hashed lock. Standard library only: it runs before anything is installed.

`bootstrap.py runtime` installs what `make run` and `make ml` need, `bootstrap.py development` that and what the
tests and linters need. It looks for a Python that the pinned packages support and installs with uv: the one on
PATH, else the one that the lock pins. `PENSTOCK_NO_UV=1`, or a uv that fails, means pip. A stamp of what was
installed makes the second call cost nothing.
"""

import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from progress import Progress, track

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {"runtime": "requirements.lock", "development": "requirements-dev.lock"}
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".installed"
SUPPORTED = ((3, 10), (3, 13))
# Some pinned packages are published as source only, and this project is built from source. The build tools and what
# they need come from the lock too, so they are installed first and the installer's own unpinned build environments
# are switched off.
HATCHLING = ("editables", "hatchling", "pathspec", "pluggy", "tomli", "tomlkit", "trove-classifiers")
BUILD_TOOLS = ("setuptools", "wheel", "packaging", *HATCHLING)
UV_AT_LEAST = (0, 5)
# pyspark's wheel holds 430 MB of jars, which are compressed already: zipping them takes 10 s and gains nothing.
STORED = "[bdist_wheel]\ncompression = stored\n"


class BootstrapError(Exception):
    """What was needed, what was found, what to do."""


def python_version(executable: str) -> "tuple[int, int] | None":
    """(major, minor) of a Python executable; None when it does not answer."""
    probe = "import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1])"
    try:
        answer = subprocess.run([executable, "-c", probe], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    parts = answer.stdout.split()
    return (int(parts[0]), int(parts[1])) if answer.returncode == 0 and len(parts) == 2 else None


def find_python() -> str:
    """The first supported Python: this one, then those on PATH, newest first."""
    names = [sys.executable] + [f"python3.{minor}" for minor in (13, 12, 11, 10)] + ["python3"]
    seen = []
    for name in names:
        path = shutil.which(name)
        if path is None:
            continue
        version = python_version(path)
        if version and SUPPORTED[0] <= version <= SUPPORTED[1]:
            return path
        seen.append(f"{path} ({'no venv module' if version is None else '.'.join(map(str, version))})")
    raise BootstrapError(
        "needed: Python 3.10 to 3.13 with its venv module. "
        f"found: {', '.join(dict.fromkeys(seen)) or 'none'}. "
        "do: Debian: apt-get install python3 python3-venv · macOS: brew install python@3.13"
    )


def pinned(lock: str, names: Iterable[str]) -> str:
    """The lock's own blocks of some packages: version and hashes."""
    blocks = re.split(r"\n(?=\S)", lock)
    return "\n".join(b.rstrip() for b in blocks if re.match(rf"({'|'.join(names)})==", b)) + "\n"


def digest(root: Path, group: str) -> str:
    """What an environment of a group depends on: its lock, pyproject.toml and the folder's path."""
    texts = [(root / name).read_text() for name in (LOCKS[group], "pyproject.toml")]
    return hashlib.sha256("".join([*texts, str(root)]).encode()).hexdigest()


def installed(stamp: Path) -> "dict[str, str]":
    """By group the digest of what was installed; empty when there is none or an older form."""
    try:
        found = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return {}
    return {name: found[name] for name in LOCKS if name in found} if isinstance(found, dict) else {}


def is_ready(root: Path, group: str, stamp: Path) -> bool:
    """Whether an environment has a group's packages already. One for development has all of runtime's."""
    found = installed(stamp)
    groups = [group, "development"] if group == "runtime" else [group]
    return any(name in found and found[name] == digest(root, name) for name in groups)


def environment() -> "dict[str, str]":
    """Variables for installers: no notices, no packages of the user's own."""
    return {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONNOUSERSITE": "1"}


def run(progress: Progress, doing: str, command: "list[object]", variables: "dict[str, str]") -> None:
    """Run an installer and show what it is doing; `doing` while it doesn't say so.

    Raises:
        BootstrapError: it failed; its whole output is in the message.
    """
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout
    progress.update(doing)
    lines = []
    busy: dict[str, str] = {}
    for line in process.stdout:
        lines.append(line)
        track(line, busy)
        progress.update(", ".join(busy.values()) or doing)
    if process.wait():
        name = "uv" if Path(str(command[0])).name == "uv" else "pip"
        raise BootstrapError(
            f"{''.join(lines)}needed: the packages of the lock. found: {name} ended with {process.returncode} "
            "(see above). do: check that the package index answers, then run make again; what was installed stays"
        )


def any_pip(python: str) -> "list[object]":
    """A pip that installs into `.venv`: the environment's own, else the one of its base Python, else a new one."""
    for command in ([PYTHON, "-m", "pip"], [python, "-m", "pip", "--python", PYTHON]):
        if subprocess.run([str(part) for part in [*command, "--version"]], capture_output=True).returncode == 0:
            return command
    done = subprocess.run([PYTHON, "-m", "ensurepip", "--default-pip"], capture_output=True, text=True)
    if done.returncode:
        raise BootstrapError(f"needed: pip in .venv. found: {done.stderr.strip()}. do: install python3-venv")
    return [PYTHON, "-m", "pip"]


def uv_version(executable: str) -> "tuple[int, ...]":
    """A uv's version; empty when it does not answer."""
    try:
        answer = subprocess.run([executable, "--version"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    found = re.match(r"uv (\d+)\.(\d+)", answer)
    return tuple(map(int, found.groups())) if found else ()


def find_uv() -> "str | None":
    """The environment's own uv, else the one on PATH; None when neither is recent enough."""
    found = (shutil.which(str(VENV / "bin" / "uv")), shutil.which("uv"))
    return next((path for path in found if path and uv_version(path) >= UV_AT_LEAST), None)


def pinned_uv(lock: str, python: str, progress: Progress, scratch: Path) -> str:
    """Install the lock's uv with pip; its path."""
    wanted = scratch / "uv.txt"
    wanted.write_text(pinned(lock, ["uv"]))
    hashed = ["install", "--require-hashes", "--no-deps", "-r", wanted]
    run(progress, "installing uv", [*any_pip(python), *hashed], environment())
    if uv := find_uv():
        return uv
    raise BootstrapError("needed: uv in .venv. found: one that doesn't start. do: nothing, or set PENSTOCK_NO_UV=1")


def uv_variables(python: str, scratch: Path) -> "dict[str, str]":
    """Variables for uv: pip's package index, wheels that aren't compressed, no compiler for thrift."""
    variables = environment()
    if not any(name in variables for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX")):
        said = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
        if found := re.search(r"^\S+\.index-url='(.+)'$", said, re.M):
            variables["UV_DEFAULT_INDEX"] = found[1]
    config = scratch / "build.cfg"
    config.write_text(STORED)
    variables.setdefault("DIST_EXTRA_CONFIG", str(config))
    # thrift compiles an accelerator for a protocol that PyHive doesn't speak. Without a compiler it does without.
    variables.setdefault("CXX", "false")
    return variables


def install(group: str, python: str, progress: Progress, scratch: Path) -> str:
    """Install a group's lock into `.venv`; the name of the installer."""
    lock = ROOT / LOCKS[group]
    text = lock.read_text()
    build = scratch / "build.txt"
    build.write_text(pinned(text, BUILD_TOOLS))
    if not os.environ.get("PENSTOCK_NO_UV"):
        try:
            uv = find_uv() or pinned_uv(text, python, progress, scratch)
            steps(progress, [uv, "pip", "install", "--python", PYTHON], build, lock, uv_variables(python, scratch))
            return "uv"
        except BootstrapError as error:
            print(f"{error}\nuv failed; pip goes on", file=sys.stderr, flush=True)
    steps(progress, [*any_pip(python), "install", "--progress-bar", "off"], build, lock, environment())
    return "pip"


def steps(progress: Progress, command: "list[object]", build: Path, lock: Path, variables: "dict[str, str]") -> None:
    """Build tools, this project, the lock: in that order, since each needs the one before it."""
    run(progress, "installing build tools", [*command, "--require-hashes", "-r", build], variables)
    alone = [*command, "--no-deps", "--no-build-isolation"]
    run(progress, "installing penstock", [*alone, "-e", ROOT], variables)
    # The lock is complete: nothing is resolved.
    run(progress, "fetching and unpacking packages", [*alone, "--require-hashes", "-r", lock], variables)


def main(group: str) -> None:
    """Make `.venv`, unless it has the group's packages already."""
    if is_ready(ROOT, group, STAMP) and PYTHON.exists():
        return
    begin = time.monotonic()
    python = sys.executable
    # A group whose lock has changed since may lose versions to this one's.
    stamps = {name: found for name, found in installed(STAMP).items() if found == digest(ROOT, name)}
    STAMP.unlink(missing_ok=True)
    with Progress("environment") as progress, tempfile.TemporaryDirectory() as scratch:
        if python_version(str(PYTHON)) is None:
            shutil.rmtree(VENV, ignore_errors=True)
            python = find_python()
            run(
                progress,
                f"making .venv with {python}, once",
                [python, "-m", "venv", "--without-pip", VENV],
                environment(),
            )
        installer = install(group, python, progress, Path(scratch))
    STAMP.write_text(json.dumps({**stamps, group: digest(ROOT, group)}))
    count = len(list(VENV.glob("lib/python*/site-packages/*.dist-info")))
    print(f"{'environment':<12} {time.monotonic() - begin:6.1f} s  {count} packages by {installer}", flush=True)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("group", nargs="?", choices=list(LOCKS), default="runtime")
    try:
        # Two `make` at once: the second waits, and finds everything there.
        with (ROOT / "tools" / "bootstrap.py").open() as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            main(arguments.parse_args().group)
    except BootstrapError as error:
        sys.exit(f"penstock: {error}")
