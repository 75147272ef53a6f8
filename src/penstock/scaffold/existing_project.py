"""Add a target of type `penstock` to an existing dbt project. In the user's files, no line is changed or removed."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.config import profiles
from penstock.config.settings import FILE_NAME, read_yaml
from penstock.errors import PenstockError
from penstock.scaffold import profile_edit, template_files
from penstock.storage.atomic import replacement

PROFILES = "profiles.yml"
PROJECT = "dbt_project.yml"
# Names for the new target. The first one that the profile doesn't use is taken.
TARGET_NAMES = ("penstock", "penstock_local", "penstock_managed")
THREADS = 4
PROFILE_COMMENT = (
    "# The target has no host, so the first dbt command that runs SQL starts a Spark server on this machine.\n"
)


@dataclass(frozen=True)
class ExistingProject:
    """A dbt project and its profile.

    Attributes:
        root: the project's folder.
        content: the content of dbt_project.yml.
        profile: name of the profile.
        file: the profiles.yml that gets the new target. It may not exist.
        read_now: the profiles.yml that dbt reads now; None if dbt finds none.
        outputs: the targets of the profile that dbt reads now.
        default: the default target; empty if it is unknown.
    """

    root: Path
    content: Mapping[str, Any]
    profile: str
    file: Path
    read_now: Path | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    default: str = ""

    @property
    def present(self) -> str | None:
        """The name of the first target of type `penstock` that the file already has."""
        return next((n for n, keys in self._in_file.items() if _keys(keys).get("type") == "penstock"), None)

    @property
    def previous(self) -> tuple[str, Mapping[str, Any]]:
        """The name and the keys of the default target.

        If the default target is unknown or has type `penstock`, the result is the first target of another type.
        """
        others = {name: _keys(keys) for name, keys in self.outputs.items() if _keys(keys).get("type") != "penstock"}
        name = self.default if self.default in others else next(iter(others), "")
        return name, others.get(name, {})

    @property
    def _in_file(self) -> Mapping[str, Any]:
        return self.outputs if self.read_now == self.file else {}

    def new_target(self) -> tuple[str, dict[str, Any]]:
        """Return the name and the keys of the target to add.

        Raises:
            PenstockError: the profile uses all names for the target.
        """
        name = next((name for name in TARGET_NAMES if name not in self._in_file), None)
        if name is None:
            found = f"targets {', '.join(TARGET_NAMES)} in {self.file}"
            raise PenstockError("a free name for the new target", found, "rename one of them")
        _, keys = self.previous
        schema = keys.get("schema") or re.sub(r"\W", "_", self.profile)
        return name, {"type": "penstock", "schema": schema, "threads": keys.get("threads") or THREADS}


def _keys(target: Any) -> Mapping[str, Any]:
    return target if isinstance(target, dict) else {}


def find(start: Path) -> ExistingProject:
    """Return the dbt project in a folder or in the nearest folder above it.

    Raises:
        PenstockError: there is no project, or dbt_project.yml has no profile.
    """
    root = next((folder for folder in (start, *start.parents) if (folder / PROJECT).is_file()), None)
    if root is None:
        do = "change to the folder of a dbt project, or type `penstock init NAME` for a new one"
        raise PenstockError(f"a {PROJECT} in this folder or above it", f"none from {start} upwards", do)
    content = read_yaml(root / PROJECT)
    profile = content.get("profile")
    if not isinstance(profile, str) or not profile.strip() or "{{" in profile:
        found = "none" if profile is None else f"`{profile}`"
        raise PenstockError(f"the name of a profile in {PROJECT}", found, f"set `profile: NAME` in {root / PROJECT}")
    file = Path(os.environ.get("DBT_PROFILES_DIR") or root) / PROFILES
    read_now = profiles.find_file(root)
    outputs: Any = _keys(read_yaml(read_now).get(profile)).get("outputs") if read_now else {}
    named = {str(name): keys for name, keys in _keys(outputs).items()}
    return ExistingProject(root, content, profile, file, read_now, named, profiles.read(root).default)


def add(project: ExistingProject) -> tuple[str, list[Path]]:
    """Add a target of type `penstock` to the profile, and write a `penstock.yml` if there is none.

    Returns:
        (the name of the target, the files that were written). If the profile already has a target of type `penstock`,
        profiles.yml stays unchanged.

    Raises:
        PenstockError: profiles.yml can't be edited safely, or a file can't be written. The project is then unchanged.
    """
    text, settings = None, project.root / FILE_NAME
    name = project.present
    if name is None:
        name, keys = project.new_target()
        text = _edited(project, name, keys)
    written: list[Path] = []
    try:
        if not settings.exists():
            template = template_files.named("minimal").files(project.profile)[FILE_NAME]
            with settings.open("x", encoding="utf-8") as file:
                written.append(settings)
                file.write(template)
        if text is not None:
            _write(project.file, text)
            written.append(project.file)
    except OSError as error:
        for path in written:
            path.unlink()
        found = f"{error.filename or project.root}: {error.strerror or error}"
        raise PenstockError("a project that can be written", found, "correct the permissions, or free space") from None
    return name, written


def _edited(project: ExistingProject, name: str, keys: Mapping[str, Any]) -> str:
    """Return the new text of profiles.yml."""
    if not project.file.exists():
        return PROFILE_COMMENT + profile_edit.profile_text(project.profile, name, keys)
    try:
        # With an empty `newline`, Python keeps the ends of lines as they are in the file.
        with project.file.open(encoding="utf-8", newline="") as file:
            text = file.read()
    except UnicodeDecodeError:
        raise PenstockError(f"{PROFILES} as UTF-8", "another encoding", f"convert {project.file}") from None
    return profile_edit.add_output(text, project.profile, name, keys, PROFILES)


def _write(path: Path, text: str) -> None:
    """Write a file in one step. A symbolic link stays a link, and an existing file keeps its permissions."""
    target = path.resolve()
    with replacement(target) as temporary:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
        if target.exists():
            shutil.copymode(target, temporary)
