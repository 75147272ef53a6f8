"""Write a new project. The project's folder appears in one step, with all files, or not at all."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import PenstockError
from penstock.lake.landing_report import ProgressUpdate
from penstock.scaffold.template_files import Template

# dbt also accepts letters of other alphabets. Penstock refuses them, because the name is also a schema in Spark.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# Names of dbt's internal packages, and the schema of the landed files.
RESERVED = {"dbt", "dbt_spark", "dbt_penstock", "lake"}


@dataclass(frozen=True)
class NewProject:
    """A project that was written.

    Attributes:
        folder: the project's folder.
        files: the number of files from the template.
        rows: the number of landed rows.
    """

    folder: Path
    files: int
    rows: int


def check_name(name: str) -> None:
    """Check that a name is a valid dbt project name and a valid schema name.

    Raises:
        PenstockError: the name is not valid, or dbt or penstock uses it.
    """
    if not NAME.fullmatch(name):
        needed = "a project name of letters, digits and underscores, at most 64, that doesn't begin with a digit"
        raise PenstockError(needed, f"`{name}`", "choose another name, as in `penstock init shop`")
    if name.lower() in RESERVED:
        found = f"`{name}`, which is the name of a package or schema that penstock uses"
        raise PenstockError("a project name that is free", found, "choose another name, as in `penstock init shop`")


def check_folder(folder: Path) -> None:
    """Check that a new project can get this folder: it doesn't exist, or is empty.

    Raises:
        PenstockError: something else has this name.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise PenstockError(f"a new folder {folder.name}", "a file or link of this name", "choose another name")
    if folder.exists() and any(folder.iterdir()):
        do = "choose another name; in an existing dbt project, type `penstock init --here` in its folder"
        raise PenstockError(f"a new or empty folder {folder.name}", f"{folder} with files", do)


def create(parent: Path, name: str, template: Template, progress: ProgressUpdate) -> NewProject:
    """Write a project and land its first months.

    Args:
        parent: the folder in which the project's folder is created.
        name: name of the project and of its folder.
        template: the template.
        progress: called with (step, unit, done so far, total) while files land.

    Raises:
        PenstockError: the name is not valid, the folder has files, or the project can't be written. In each case,
            nothing is written.
    """
    check_name(name)
    folder = parent / name
    check_folder(folder)
    files = template.files(name)
    try:
        # Only its owner can read the temporary folder. The project's folder in it has the usual permissions.
        with tempfile.TemporaryDirectory(prefix=".penstock-init-", dir=parent) as temporary:
            made = Path(temporary) / name
            for path, text in files.items():
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_text(text, encoding="utf-8")
            rows = template.land(made, folder, progress)
            made.rename(folder)
    except OSError as error:
        found = f"{error.strerror or error}"
        raise PenstockError(f"a folder {folder} that can be written", found, "choose another folder") from None
    return NewProject(folder, len(files), rows)
