"""List what else changes for a dbt-spark project on penstock: general differences, and findings in the project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from penstock.config.settings import read_yaml
from penstock.errors import PenstockError

# dbt's folders of SQL and YAML files: (key of dbt_project.yml, default).
FOLDERS = {
    "model-paths": ["models"],
    "macro-paths": ["macros"],
    "seed-paths": ["seeds"],
    "snapshot-paths": ["snapshots"],
    "analysis-paths": ["analyses"],
    "test-paths": ["tests"],
}
# Keys of a target that mean the same in dbt-spark and penstock, or that dbt itself reads.
COPIED = {"type", "schema", "threads"}
TARGET_TYPE = re.compile(r"""target\s*(?:\.type\b|\[\s*['"]type['"]\s*\])""")
ADAPTER_TYPE = re.compile(r"adapter\.type\(\)")
SUBMISSION = re.compile(r"submission_method['\"]?\s*[:=]\s*['\"]?(\w+)")
SUBMISSION_METHODS = {"connect", "spark_submit"}
IGNORED = (".penstock/", "/lake/", "/warehouse/")
SHOWN = 5
# dbt-spark sets this setting to false in its sessions. Sessions on a penstock server keep the server's value, true.
ANSI = "spark.sql.ansi.enabled"


def notes(
    root: Path, content: Mapping[str, Any], previous: tuple[str, Mapping[str, Any]], target_type: str
) -> list[str]:
    """Return the differences that apply to every project, and the differences that depend on this project's files.

    Args:
        root: the project's folder.
        content: the content of dbt_project.yml.
        previous: name and keys of the target that the project used before.
        target_type: the value of `target.type` in Jinja for the new target.
    """
    return [
        *_general(),
        *_of_target(*previous),
        *_versions(root, content),
        *_types(root, content, target_type),
        *_submissions(root, content),
        *_ignored(root),
    ]


def _general() -> list[str]:
    return [
        "the server's warehouse is a new folder: tables and sources of your other Spark are not in it. Load them "
        "there, or add `host` and `port` of your Thrift server to the target; penstock then starts no server",
        f"ANSI mode is on: a cast or a division that fails is an error, not null. dbt-spark sets {ANSI} to false. To "
        f'get nulls again, add to the target: server_side_parameters: {{{ANSI}: "false"}}',
        "models, seeds and snapshots without `file_format` are Delta tables; dbt-spark's default is parquet. To keep "
        "parquet, add to the target: file_format: parquet",
    ]


def _of_target(name: str, keys: Mapping[str, Any]) -> Iterator[str]:
    """Yield lines about the keys of a target that the new target doesn't have."""
    if left := sorted(set(keys) - COPIED - {"server_side_parameters"}):
        yield f"these keys of `{name}` have no effect on the new target: {', '.join(left)}"
    if "server_side_parameters" in keys:
        yield f"`{name}` has server_side_parameters: copy those that the new target needs"


def _packages(root: Path, content: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the folder and the dbt_project.yml of each installed package."""
    for file in sorted((root / str(content.get("packages-install-path") or "dbt_packages")).glob("*/dbt_project.yml")):
        try:
            yield file.parent, read_yaml(file)
        except PenstockError:
            continue  # dbt itself reports an unreadable package.


def _versions(root: Path, content: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each `require-dbt-version` that excludes the installed dbt."""
    from dbt_common.exceptions import DbtBaseException
    from dbt_common.semver import VersionSpecifier, versions_compatible

    installed = version("dbt-core")
    for folder, project in [(root, content), *_packages(root, content)]:
        required = project.get("require-dbt-version")
        if not required:
            continue
        parts = required if isinstance(required, list) else str(required).split(",")
        specifiers = [part for item in parts for part in str(item).split(",")]
        try:
            wanted = [VersionSpecifier.from_version_string(part.strip()) for part in specifiers]
            fits = versions_compatible(VersionSpecifier.from_version_string(installed), *wanted)
        except DbtBaseException:
            continue
        if not fits:
            name = project.get("name", folder.name)
            yield (
                f"{name} requires dbt {', '.join(specifiers)}, and dbt {installed} is installed: change "
                "require-dbt-version, take another version of the package, or run dbt with --no-version-check"
            )


def _texts(root: Path, content: Mapping[str, Any], suffixes: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """Yield each file of a project's folders with its text, and dbt_project.yml."""
    found = [root / "dbt_project.yml"]
    for key, default in FOLDERS.items():
        paths = content.get(key) or default
        for folder in paths if isinstance(paths, list) else default:
            found += sorted(path for path in (root / str(folder)).rglob("*") if path.suffix in suffixes)
    for path in dict.fromkeys(found):
        if path.is_file():
            yield path, path.read_text(encoding="utf-8", errors="replace")


def _shown(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _types(root: Path, content: Mapping[str, Any], target_type: str) -> Iterator[str]:
    """If the adapter's type isn't `spark`, yield lines about the files and packages that read the type."""
    patterns = [(ADAPTER_TYPE, "adapter.type()", "penstock"), (TARGET_TYPE, "target.type", target_type)]
    for pattern, name, value in patterns:
        if value == "spark":
            continue
        places = [
            str(path.relative_to(root))
            for path, text in _texts(root, content, (".sql", ".yml", ".yaml"))
            if pattern.search(text)
        ]
        places += [
            f"package {package.get('name', folder.name)}"
            for folder, package in _packages(root, content)
            if any(pattern.search(text) for _, text in _texts(folder, package, (".sql", ".yml", ".yaml")))
        ]
        if places:
            yield f"`{name}` is `{value}`, not `spark`. These test it: {_shown(places)}"


def _submissions(root: Path, content: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line about the Python models and folders whose submission method penstock doesn't have."""
    places = [
        f"{path.relative_to(root)} ({method})"
        for path, text in _texts(root, content, (".py", ".yml", ".yaml"))
        for method in dict.fromkeys(SUBMISSION.findall(text))
        if method not in SUBMISSION_METHODS
    ]
    if places:
        methods = " or ".join(sorted(SUBMISSION_METHODS))
        yield f"submission_method of a Python model is {methods}. These have another: {_shown(places)}"


def _ignored(root: Path) -> Iterator[str]:
    """Yield a line about the folders to add to the project's .gitignore."""
    file = root / ".gitignore"
    lines = file.read_text(errors="replace").split() if file.is_file() else []
    known = {line.strip("/") for line in lines}
    if missing := [folder for folder in IGNORED if folder.strip("/") not in known]:
        yield f"add to .gitignore: {' '.join(missing)}"
