"""Read dbt's files profiles.yml and dbt_project.yml without importing dbt, because that import takes seconds.

The only dbt Jinja function supported here is `env_var`:
https://docs.getdbt.com/reference/dbt-jinja-functions/env_var
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# The environment variable that selects a target, for penstock and for the dbt commands that penstock runs.
TARGET_VARIABLE = "PENSTOCK_TARGET"


@dataclass(frozen=True)
class Profile:
    """The profile in profiles.yml that the project uses.

    Attributes:
        default: the target that is used if the user names no target.
        targets: the names of all targets.
        remote: the names of the targets that name a server. Penstock does not manage the servers of these targets.
    """

    default: str = ""
    targets: tuple[str, ...] = ()
    remote: frozenset[str] = frozenset()


def _env_var(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise LookupError(name)
    return value


def _render(text: str) -> str:
    """Return a value with its `env_var` calls replaced, or an empty string if rendering fails."""
    if "{" not in text:
        return text
    # jinja2 is imported only here, because every penstock command reads the profile but few profiles use Jinja.
    from jinja2 import TemplateError
    from jinja2.nativetypes import NativeEnvironment

    try:
        return str(NativeEnvironment().from_string(text).render(env_var=_env_var))
    except (TemplateError, LookupError):
        return ""


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError):
        return {}
    return data if isinstance(data, dict) else {}


def target_type(root: Path, target: str) -> str:
    """Return the type of a target, as in `penstock`, or an empty string if it is unknown."""
    outputs = _outputs(root)[1]
    found = outputs.get(target)
    return _render(str(found.get("type") or "")) if isinstance(found, dict) else ""


def _is_remote(target: Any) -> bool:
    """Return whether a target names a server: its `host`, or its `connect_url` if SQL runs over Spark Connect."""
    if not isinstance(target, dict):
        return False
    servers = [target.get("host"), target.get("connect_url") if target.get("method") == "connect" else None]
    return any(server is not None and (not isinstance(server, str) or bool(server.strip())) for server in servers)


def find_file(root: Path) -> Path | None:
    """Return the profiles.yml that dbt reads for the project at `root`, or None if there is none."""
    folders = [os.environ.get("DBT_PROFILES_DIR"), root, Path.home() / ".dbt"]
    return next((Path(f) / "profiles.yml" for f in folders if f and (Path(f) / "profiles.yml").exists()), None)


def read(root: Path) -> Profile:
    """Return the profile of the project at `root`.

    If the file or the profile is missing or unreadable, the result has no targets. dbt itself reports the reason later.
    """
    profile, outputs = _outputs(root)
    if not profile:
        return Profile()
    targets = tuple(outputs)
    default = _render(str(profile.get("target") or "default"))
    remote = frozenset(name for name in targets if _is_remote(outputs[name]))
    return Profile(default, targets, remote)


def _outputs(root: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the project's profile and its targets by name. Both are empty if they are missing or unreadable."""
    name = _read_mapping(root / "dbt_project.yml").get("profile")
    file = find_file(root)
    profile = _read_mapping(file).get(name) if file and isinstance(name, str) else None
    if not isinstance(profile, dict):
        return {}, {}
    outputs = profile.get("outputs")
    return profile, {str(name): item for name, item in outputs.items()} if isinstance(outputs, dict) else {}


def target_folder(root: Path) -> Path:
    """Return the folder of dbt's artifacts: DBT_TARGET_PATH, or else `target-path` of dbt_project.yml, or `target`."""
    configured = _read_mapping(root / "dbt_project.yml").get("target-path")
    return root / (os.environ.get("DBT_TARGET_PATH") or _render(str(configured or "")) or "target")


def typed_command(command: str) -> str:
    """Return a penstock command as the user has to type it. If PENSTOCK_TARGET is set, the command has `--target`."""
    target = os.environ.get(TARGET_VARIABLE)
    return f"penstock {command}" + (f" --target {shlex.quote(target)}" if target else "")


def dbt_options(root: Path) -> list[str]:
    """Return the dbt options that select the project at `root` and the target in PENSTOCK_TARGET."""
    options = ["--project-dir", str(root)]
    if target := os.environ.get(TARGET_VARIABLE):
        options += ["--target", target]
    if "DBT_PROFILES_DIR" not in os.environ and (root / "profiles.yml").exists():
        options += ["--profiles-dir", str(root)]
    return options
