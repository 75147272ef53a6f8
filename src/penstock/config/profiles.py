"""What profiles.yml says without dbt: which targets there are, and which one is meant when none is named.

dbt takes seconds to import; `penstock status` shall not. Only `env_var` is known in here, as dbt's
own documentation has it in profiles: https://docs.getdbt.com/reference/dbt-jinja-functions/env_var
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# What chooses a target for a whole shell, and for the dbt that penstock itself runs.
VARIABLE = "PENSTOCK_TARGET"


@dataclass(frozen=True)
class Profile:
    """The project's profile.

    Attributes:
        default: the target that is meant when none is named.
        targets: the names of all of them.
        remote: those whose server is someone else's: they name a `host`.
    """

    default: str = ""
    targets: tuple[str, ...] = ()
    remote: frozenset[str] = frozenset()


def _env_var(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise LookupError(name)
    return value


def _rendered(text: str) -> str:
    """A value with its environment variables filled in; empty when that can't be done."""
    if "{" not in text:
        return text
    # Only for those who need it: every command of penstock comes by here.
    from jinja2 import TemplateError
    from jinja2.nativetypes import NativeEnvironment

    try:
        return str(NativeEnvironment().from_string(text).render(env_var=_env_var))
    except (TemplateError, LookupError):
        return ""


def _mapping(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError):
        return {}
    return data if isinstance(data, dict) else {}


def _names_a_host(target: Any) -> bool:
    host = target.get("host") if isinstance(target, dict) else None
    return host is not None and (not isinstance(host, str) or bool(host.strip()))


def read(root: Path) -> Profile:
    """The profile of the project at `root`; empty when there is none, or it can't be read: dbt says why."""
    name = _mapping(root / "dbt_project.yml").get("profile")
    folders = [os.environ.get("DBT_PROFILES_DIR"), root, Path.home() / ".dbt"]
    file = next((Path(f) / "profiles.yml" for f in folders if f and (Path(f) / "profiles.yml").exists()), None)
    found = _mapping(file).get(name) if file and isinstance(name, str) else None
    if not isinstance(found, dict):
        return Profile()
    outputs = found.get("outputs")
    outputs = {str(name): item for name, item in outputs.items()} if isinstance(outputs, dict) else {}
    targets = tuple(outputs)
    default = _rendered(str(found.get("target") or "default"))
    remote = frozenset(name for name in targets if _names_a_host(outputs[name]))
    return Profile(default, targets, remote)


def chosen() -> list[str]:
    """The words that tell dbt of the target that was named to penstock; none when none was."""
    name = os.environ.get(VARIABLE)
    return ["--target", name] if name else []
