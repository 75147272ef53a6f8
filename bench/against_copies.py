"""Copy the project for bench/against.py: the files of a commit or of the checkout, and a Python environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from bench.measure import ROOT

CHECKOUT = "checkout"
PIN = re.compile(r"^([a-z0-9][\w.\-]*(?:\[[^\]]*\])?)==(\S+)\s*(;[^\\]*)?", re.MULTILINE)
SCRIPT = "#!{python}\nimport sys\nfrom {module} import {name}\nsys.exit({name}())\n"
DBT = ("dbt.cli.main", "cli")
# Read from pyproject.toml, because the module of the command's function differs between commits.
ENTRY_POINT = re.compile(r'^penstock = "([\w.]+):(\w+)"$', re.MULTILINE)


def git(*arguments: str) -> bytes:
    """Return the output of git in this repository; end the benchmark when git fails."""
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True)
    if done.returncode:
        sys.exit(f"git {' '.join(arguments)} failed: {done.stderr.decode().strip()}")
    return done.stdout


def copy_commit(commit: str, folder: Path) -> None:
    """Copy the files of a commit into a folder."""
    archive = git("archive", "--format=tar", commit)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)


def copy_checkout(folder: Path) -> None:
    """Copy the checkout's files, including uncommitted ones, into a folder."""
    for name in git("ls-files", "-z", "--cached", "--others", "--exclude-standard").decode().split("\0"):
        source, target = ROOT / name, folder / name
        if name and (source.is_file() or source.is_symlink()):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)


def other_versions(lock: str, installed: Mapping[str, str] | None = None) -> list[str]:
    """Return the packages that a lock pins to a different version than this environment has."""
    other = []
    for name, pinned, marker in PIN.findall(lock):
        required = Requirement(f"{name}=={pinned} {marker}")
        if required.marker and not required.marker.evaluate():
            continue
        try:
            present = installed[required.name] if installed is not None else version(required.name)
        except (PackageNotFoundError, KeyError):
            continue  # a development package, which isn't needed to run the project
        if present != pinned:
            other.append(f"{required.name} {present}, pinned {pinned}")
    return other


def entry_point(pyproject: str) -> tuple[str, str]:
    """Return the module and function of the command `penstock`, from the text of pyproject.toml."""
    found = ENTRY_POINT.search(pyproject)
    if not found:
        sys.exit('needed: `penstock = "MODULE:FUNCTION"` in pyproject.toml. found: none. do: name another commit')
    return found[1], found[2]


def make_environment(name: str, project: Path, folder: Path, packages: Path | None) -> Path:
    """Make an environment with the lock's packages that runs a copy's `src`. Return the environment's bin folder.

    Args:
        name: the commit, or CHECKOUT.
        project: the copy.
        folder: where to make an environment that shares the packages of another environment.
        packages: the folder of that other environment. The default is the running environment. If the commit's lock
            pins other versions, the default is a new environment.
    """
    lock = project / "requirements.lock"
    other = other_versions(lock.read_text()) if name != CHECKOUT and not packages and lock.exists() else []
    if other:
        print(f"{name}: a separate environment ({'; '.join(other[:5])})", flush=True)
        return _bootstrap(project)
    site = packages and next((packages / "lib").glob("python3*/site-packages"))
    venv.create(folder, symlinks=True)
    packages_folder = next((folder / "lib").glob("python3*/site-packages"))
    paths = [site or sysconfig.get_paths()["purelib"], project / "src"]
    (packages_folder / "against.pth").write_text("".join(f"{path}\n" for path in paths))
    scripts = {"dbt": DBT, "penstock": entry_point((project / "pyproject.toml").read_text())}
    for script, (module, function) in scripts.items():
        path = folder / "bin" / script
        path.write_text(SCRIPT.format(python=folder / "bin" / "python", module=module, name=function))
        path.chmod(0o755)
    return folder / "bin"


def _bootstrap(project: Path) -> Path:
    """Make `.venv` from the commit's lock, with uv if it is on PATH, otherwise with the commit's script."""
    home = project / ".venv"
    if uv := shutil.which("uv"):
        variables = {**os.environ, "VIRTUAL_ENV": str(home)}
        install = [uv, "pip", "install", "--quiet", "--no-deps"]
        create = [uv, "venv", "--quiet", "--allow-existing", "--seed", "--python", sys.executable, str(home)]
        locked = [*install, "--require-hashes", "-r", "requirements.lock"]
        for command in (create, locked, [*install, "-e", "."]):
            subprocess.run(command, cwd=project, env=variables, check=True)
    else:
        subprocess.run([sys.executable, "tools/bootstrap.py"], cwd=project, check=True)
    return home / "bin"
