"""Read the targets of profiles.yml without dbt, which takes seconds to import.

Of dbt's Jinja functions, only `env_var` is supported:
https://docs.getdbt.com/reference/dbt-jinja-functions/env_var
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# The environment variable that selects a target, also for the dbt commands that penstock runs.
TARGET_VARIABLE = "PENSTOCK_TARGET"


@dataclass(frozen=True)
class Profile:
    """The project's profile.

    Attributes:
        default: the target that is used if none is named.
        targets: the names of all targets.
        remote: the targets with a `host`, whose server penstock does not manage.
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
    """Return a value with its environment variables, or an empty string if it cannot be rendered."""
    if "{" not in text:
        return text
    # Imported here because every penstock command reads the profile and few profiles need Jinja.
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


def _has_host(target: Any) -> bool:
    host = target.get("host") if isinstance(target, dict) else None
    return host is not None and (not isinstance(host, str) or bool(host.strip()))


def read(root: Path) -> Profile:
    """Return the profile of the project at `root`.

    The profile is empty if it is missing or unreadable. dbt reports the reason.
    """
    name = _read_mapping(root / "dbt_project.yml").get("profile")
    folders = [os.environ.get("DBT_PROFILES_DIR"), root, Path.home() / ".dbt"]
    file = next((Path(f) / "profiles.yml" for f in folders if f and (Path(f) / "profiles.yml").exists()), None)
    profile = _read_mapping(file).get(name) if file and isinstance(name, str) else None
    if not isinstance(profile, dict):
        return Profile()
    outputs = profile.get("outputs")
    outputs = {str(name): item for name, item in outputs.items()} if isinstance(outputs, dict) else {}
    targets = tuple(outputs)
    default = _render(str(profile.get("target") or "default"))
    remote = frozenset(name for name in targets if _has_host(outputs[name]))
    return Profile(default, targets, remote)


def dbt_options(root: Path) -> list[str]:
    """Return the options that make dbt use the project at `root` and the target that PENSTOCK_TARGET names."""
    options = ["--project-dir", str(root)]
    if target := os.environ.get(TARGET_VARIABLE):
        options += ["--target", target]
    if "DBT_PROFILES_DIR" not in os.environ and (root / "profiles.yml").exists():
        options += ["--profiles-dir", str(root)]
    return options
