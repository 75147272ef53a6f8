"""Build `.venv` from the pinned, hashed lock. Standard library only: it runs before anything is installed.

`make` calls it with any Python 3; it looks for one that the pinned packages support, makes the
environment with it and installs exactly what `requirements.lock` names. A stamp of the lock's
content makes the second call cost nothing.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
STAMP = VENV / ".installed"
SUPPORTED = ((3, 10), (3, 13))
# Some pinned packages are published as source only. Their build tools come from the lock too, so
# they are installed first and pip's own unpinned build environments are switched off.
BUILD_TOOLS = ("setuptools", "wheel", "packaging")


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


def build_requirements(lock: str) -> str:
    """The lock's own pinned blocks of the build tools."""
    blocks = re.split(r"\n(?=\S)", lock)
    return "\n".join(b for b in blocks if re.match(rf"({'|'.join(BUILD_TOOLS)})==", b)) + "\n"


def run(*command: object) -> None:
    """Run a command; end with its exit code and a word on what to do when it fails."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONNOUSERSITE": "1"}
    done = subprocess.run([str(part) for part in command], cwd=ROOT, env=environment)
    if done.returncode:
        raise BootstrapError(
            f"needed: the packages of requirements.lock. found: pip ended with {done.returncode} (see above). "
            "do: check that the package index answers, then run make again; what was installed stays"
        )


def main() -> None:
    """Make `.venv` unless it stands already for this very lock."""
    lock = LOCK.read_text()
    wanted = hashlib.sha256((lock + (ROOT / "pyproject.toml").read_text() + str(ROOT)).encode()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted and python_version(str(VENV / "bin/python")):
        return
    if python_version(str(VENV / "bin/python")) is None:
        shutil.rmtree(VENV, ignore_errors=True)
        python = find_python()
        print(f"making .venv with {python} (once; about 150 packages, some minutes)", flush=True)
        run(python, "-m", "venv", VENV)
    pip = [VENV / "bin/python", "-m", "pip", "install", "--quiet", "--require-hashes"]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as build:
        build.write(build_requirements(lock))
        build.flush()
        run(*pip, "-r", build.name)
    run(*pip, "--no-deps", "--no-build-isolation", "-r", LOCK)  # the lock is complete
    run(*pip[:5], "--no-deps", "--no-build-isolation", "-e", ROOT)
    STAMP.write_text(wanted)


if __name__ == "__main__":
    try:
        # Two `make` at once: the second waits, and finds everything there.
        with (ROOT / "tools" / "bootstrap.py").open() as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            main()
    except BootstrapError as error:
        sys.exit(f"penstock: {error}")
