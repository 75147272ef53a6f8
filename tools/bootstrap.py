"""Build `.venv` from a lock with pinned versions and hashes.

This script uses only the standard library, because it runs before anything is installed. `bootstrap.py runtime`
installs the packages that `make run` and `make ml` need. `bootstrap.py development` also installs the packages that the
tests and linters need. The script looks for a Python that the pinned packages support, and installs with uv: the uv on
PATH, or else the uv that the lock pins. It installs with pip if `PENSTOCK_NO_UV=1` is set or uv fails. A stamp file
records the installed groups, so that the next call has nothing to do.
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
SUPPORTED = ((3, 10), (3, 14))
# Some pinned packages are published only as source, and this project is built from source. The lock also pins the
# build tools and their dependencies. They are installed first, because the installers' own build environments, which
# aren't pinned, are switched off.
HATCHLING = ("editables", "hatchling", "pathspec", "pluggy", "tomli", "tomlkit", "trove-classifiers")
BUILD_TOOLS = ("setuptools", "wheel", "packaging", *HATCHLING)
UV_AT_LEAST = (0, 5)
# pyspark's wheel contains 430 MB of jars. They are compressed already, so compressing them again only costs 10 s.
STORED = "[bdist_wheel]\ncompression = stored\n"


class BootstrapError(Exception):
    """An error whose message says what was needed, what was found, and what to do."""


def python_version(executable: str) -> "tuple[int, int] | None":
    """Return (major, minor) of a Python executable, or None if the executable doesn't run."""
    probe = "import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1])"
    try:
        answer = subprocess.run([executable, "-c", probe], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    parts = answer.stdout.split()
    return (int(parts[0]), int(parts[1])) if answer.returncode == 0 and len(parts) == 2 else None


def find_python() -> str:
    """Return the first supported Python. This one is tried first, then those on PATH, the newest first."""
    names = [sys.executable] + [f"python3.{minor}" for minor in (14, 13, 12, 11, 10)] + ["python3"]
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
        "needed: Python 3.10 to 3.14 with its venv module. "
        f"found: {', '.join(dict.fromkeys(seen)) or 'none'}. "
        "do: Debian: apt-get install python3 python3-venv · macOS: brew install python@3.13"
    )


def pinned(lock: str, names: Iterable[str]) -> str:
    """Return the lock's lines for some packages: their versions and hashes."""
    blocks = re.split(r"\n(?=\S)", lock)
    return "\n".join(b.rstrip() for b in blocks if re.match(rf"({'|'.join(names)})==", b)) + "\n"


def digest(root: Path, group: str) -> str:
    """Return a hash of all that a group's environment depends on: the lock, pyproject.toml, and the folder's path."""
    texts = [(root / name).read_text() for name in (LOCKS[group], "pyproject.toml")]
    return hashlib.sha256("".join([*texts, str(root)]).encode()).hexdigest()


def installed(stamp: Path) -> "dict[str, str]":
    """Return the digest of each installed group; empty if there is no stamp or the stamp has an older format."""
    try:
        found = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return {}
    return {name: found[name] for name in LOCKS if name in found} if isinstance(found, dict) else {}


def is_ready(root: Path, group: str, stamp: Path) -> bool:
    """Return whether an environment has a group's packages. The group `development` includes `runtime`."""
    found = installed(stamp)
    groups = [group, "development"] if group == "runtime" else [group]
    return any(name in found and found[name] == digest(root, name) for name in groups)


def environment() -> "dict[str, str]":
    """Return environment variables for installers that switch off notices and the user's own packages."""
    return {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONNOUSERSITE": "1"}


def run(progress: Progress, doing: str, command: "list[object]", variables: "dict[str, str]") -> None:
    """Run an installer and show its current activity, or `doing` if the activity is unknown.

    Raises:
        BootstrapError: the installer failed. The message contains its whole output.
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
    """Return a pip that installs into `.venv`: the environment's own, else that of its base Python, else a new one."""
    for command in ([PYTHON, "-m", "pip"], [python, "-m", "pip", "--python", PYTHON]):
        if subprocess.run([str(part) for part in [*command, "--version"]], capture_output=True).returncode == 0:
            return command
    done = subprocess.run([PYTHON, "-m", "ensurepip", "--default-pip"], capture_output=True, text=True)
    if done.returncode:
        raise BootstrapError(f"needed: pip in .venv. found: {done.stderr.strip()}. do: install python3-venv")
    return [PYTHON, "-m", "pip"]


def uv_version(executable: str) -> "tuple[int, ...]":
    """Return the version of a uv executable; empty if the executable doesn't run."""
    try:
        answer = subprocess.run([executable, "--version"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    found = re.match(r"uv (\d+)\.(\d+)", answer)
    return tuple(map(int, found.groups())) if found else ()


def find_uv() -> "str | None":
    """Return the environment's own uv, or else the uv on PATH, or None if neither is recent enough."""
    found = (shutil.which(str(VENV / "bin" / "uv")), shutil.which("uv"))
    return next((path for path in found if path and uv_version(path) >= UV_AT_LEAST), None)


def pinned_uv(lock: str, python: str, progress: Progress, scratch: Path) -> str:
    """Use pip to install the uv that the lock pins, and return the path of uv."""
    wanted = scratch / "uv.txt"
    wanted.write_text(pinned(lock, ["uv"]))
    hashed = ["install", "--require-hashes", "--no-deps", "-r", wanted]
    run(progress, "installing uv", [*any_pip(python), *hashed], environment())
    if uv := find_uv():
        return uv
    raise BootstrapError("needed: uv in .venv. found: one that doesn't start. do: nothing, or set PENSTOCK_NO_UV=1")


def uv_variables(python: str, scratch: Path) -> "dict[str, str]":
    """Return environment variables for uv: pip's package index, uncompressed wheels, and no compiler for thrift."""
    variables = environment()
    if not any(name in variables for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX")):
        said = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
        if found := re.search(r"^\S+\.index-url='(.+)'$", said, re.M):
            variables["UV_DEFAULT_INDEX"] = found[1]
    config = scratch / "build.cfg"
    config.write_text(STORED)
    variables.setdefault("DIST_EXTRA_CONFIG", str(config))
    # thrift compiles an accelerator for a protocol that PyHive doesn't use. Without a compiler, thrift skips it.
    variables.setdefault("CXX", "false")
    return variables


def install(group: str, python: str, progress: Progress, scratch: Path) -> str:
    """Install a group's lock into `.venv`, and return the name of the installer."""
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
    """Install the build tools, then this project, then the lock. Each step needs the previous one."""
    run(progress, "installing build tools", [*command, "--require-hashes", "-r", build], variables)
    alone = [*command, "--no-deps", "--no-build-isolation"]
    run(progress, "installing penstock", [*alone, "-e", ROOT], variables)
    # The lock lists every dependency, so nothing needs to be resolved.
    run(progress, "fetching and unpacking packages", [*alone, "--require-hashes", "-r", lock], variables)


def main(group: str) -> None:
    """Make `.venv`, unless it already has the group's packages."""
    if is_ready(ROOT, group, STAMP) and PYTHON.exists():
        return
    begin = time.monotonic()
    python = sys.executable
    # Stamps of groups whose lock has changed are dropped, because this group's versions may replace theirs.
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
        # If two `make` run at once, the second one waits, and then has nothing to do.
        with (ROOT / "tools" / "bootstrap.py").open() as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            main(arguments.parse_args().group)
    except BootstrapError as error:
        sys.exit(f"penstock: {error}")
