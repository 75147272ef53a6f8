"""Install a wheel in a new environment and test that it works there: imports, commands, and a small dbt project.

The wheel is installed without dependencies, then the dependencies that its metadata declares. So a package that the
code imports and the metadata lacks is found. No Spark is started. This script uses only the standard library.

usage: tools/wheel_smoke.py [--python PYTHON] [--constraint REQUIREMENT]... [--constraints FILE] WHEEL

Examples: `--python python3.12`; `--constraint 'dbt-core<1.12'`.
"""

from __future__ import annotations

import argparse
import email
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from bootstrap import environment, find_uv, uv_variables

IMPORT_ALL = """\
import importlib, pkgutil
import dbt.adapters.penstock, dbt.include.penstock, penstock

names = []
for package in (penstock, dbt.adapters.penstock, dbt.include.penstock):
    names += [module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    importlib.import_module(name)
print(len(names), "modules")
"""
VERSIONS = """\
import importlib.metadata, sys
packages = ("dbt-core", "dbt-adapters", "pyspark", "thrift", "pandas")
print("Python", ".".join(map(str, sys.version_info[:3])), *(f"{p} {importlib.metadata.version(p)}" for p in packages))
"""
PROJECT = {
    "dbt_project.yml": "name: shop\nversion: 1.0.0\nprofile: shop\n",
    "profiles.yml": "shop:\n  target: dev\n  outputs:\n    dev: {type: penstock, schema: shop, threads: 2}\n",
    "models/orders.sql": "{{ config(materialized='table', **layout(clustered('id'))) }}\nselect 1 as id\n",
    "models/totals.py": "def model(dbt, session):\n    return dbt.ref('orders').groupBy('id').count()\n",
    "models/models.yml": "models:\n  - name: orders\n    data_tests: [plan_has_no_cartesian]\n",
}
SECONDS = 1200


class SmokeError(Exception):
    """An error whose message says what was needed, what was found, and what to do."""


def requirements(wheel: Path) -> list[str]:
    """Return the requirements that a wheel's metadata declares, without those of its extras.

    Raises:
        SmokeError: the file is not a wheel.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
            metadata = email.message_from_bytes(archive.read(name))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise SmokeError(f"needed: a wheel. found: {wheel}: {error}. do: run make dist") from None
    return [text for text in metadata.get_all("Requires-Dist", []) if "extra ==" not in text]


def run(command: list[object], folder: Path, variables: dict[str, str]) -> str:
    """Return the output of a command.

    Raises:
        SmokeError: the command failed. The message contains its whole output.
    """
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    if done.returncode:
        shown = f"{Path(words[0]).name} {' '.join(words[1:])}"
        raise SmokeError(
            f"{done.stdout}needed: a wheel that works. found: {shown[:200]} ended with {done.returncode} (see above). "
            "do: correct the code or the dependencies in pyproject.toml"
        )
    return done.stdout


def install(wheel: Path, python: str, constraints: list[str], folder: Path) -> Path:
    """Install a wheel and its declared dependencies in a new environment, and return the folder of its programs."""
    programs = folder / "env" / "bin"
    wanted, limits = folder / "requirements.txt", folder / "constraints.txt"
    wanted.write_text("\n".join(requirements(wheel)) + "\n")
    limits.write_text("\n".join(constraints) + "\n")
    if uv := find_uv() if not os.environ.get("PENSTOCK_NO_UV") else None:
        variables = uv_variables(sys.executable, folder)
        run([uv, "venv", "--quiet", "--python", python, folder / "env"], folder, variables)
        pip: list[object] = [uv, "pip"]
        chosen: list[object] = ["--python", programs / "python"]
    else:
        variables = environment()
        run([python, "-m", "venv", folder / "env"], folder, variables)
        pip, chosen = [programs / "python", "-m", "pip"], []
    run([*pip, "install", "--quiet", *chosen, "--no-deps", wheel], folder, variables)
    run([*pip, "install", "--quiet", *chosen, "-r", wanted, "-c", limits], folder, variables)
    run([*pip, "check", *chosen], folder, variables)
    return programs


def examine(programs: Path, folder: Path, version: str) -> str:
    """Run the commands and parse a project; return one line with the versions.

    Args:
        programs: the environment's folder of programs.
        folder: an empty folder for the project.
        version: the version that the commands have to print.

    Raises:
        SmokeError: a command failed, or printed another version.
    """
    for name, text in PROJECT.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DBT_", "PENSTOCK_", "PYTHON", "VIRTUAL_ENV"))}
    variables = {**kept, "PATH": f"{programs}:{kept.get('PATH', '')}", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    versions = run([programs / "python", "-c", VERSIONS], folder, variables).strip()
    modules = run([programs / "python", "-c", IMPORT_ALL], folder, variables).strip()
    for program, line in (("penstock", f"penstock {version}"), ("dbt", f"penstock: {version}")):
        printed = run([programs / program, "--version"], folder, variables)
        if line not in printed:
            raise SmokeError(f"needed: {line} from {program} --version. found: {printed}do: build the wheel again")
    run([programs / "penstock", "help", "no-free-port"], folder, variables)
    run([programs / "dbt", "parse"], folder, variables)
    if not (folder / "target" / "manifest.json").exists():
        raise SmokeError("needed: target/manifest.json after dbt parse. found: no such file. do: see dbt's log")
    return f"{versions}: {modules} imported, commands and dbt parse passed"


def main(arguments: list[str]) -> None:
    """Read the command line, install the wheel, test it, and print the result."""
    parser = argparse.ArgumentParser(description="Install a wheel in a new environment and test that it works there.")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--python", default=sys.executable, help="the environment's Python: a path or a name on PATH")
    parser.add_argument("--constraint", action="append", default=[], help="a limit, such as dbt-core<1.12")
    parser.add_argument("--constraints", type=Path, help="a file of limits, such as requirements.lock")
    options = parser.parse_args(arguments)
    python = shutil.which(options.python)
    if python is None:
        raise SmokeError(f"needed: a Python. found: no {options.python}. do: install it, or name another with --python")
    limits = [*options.constraint]
    if options.constraints:
        limits.append(f"-c {options.constraints.resolve()}")
    wheel = options.wheel.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        programs = install(wheel, python, limits, Path(scratch))
        project = Path(scratch) / "shop"
        project.mkdir()
        print(examine(programs, project, wheel.name.split("-")[1]))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SmokeError as error:
        sys.exit(f"wheel_smoke: {error}")
