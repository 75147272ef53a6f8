"""The templates of new projects: package data, one file for each file of the project.

A template file has the name of the project's file and the suffix `.tmpl`, so that git, dbt, ruff and sqlfluff don't
read it as a file of this repository. The text contains the placeholders `<<name>>`, `<<version>>` and `<<land>>`, and
`<<reference>>` for the text that the READMEs of all templates end with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import penstock
from penstock.errors import PenstockError
from penstock.lake.landing_report import ProgressUpdate
from penstock.scaffold import first_landing

FOLDER = Path(__file__).parent / "templates"
SUFFIX = ".tmpl"
# The files that all projects have. A file of the template with the same name replaces such a file.
COMMON = "common"
REFERENCE = FOLDER / "reference.md"


@dataclass(frozen=True)
class Template:
    """A template.

    Attributes:
        name: the name that the user types, and the folder below `templates`.
        land_command: the command that lands the project's files again, for example in a clone.
        land: lands the files in a new project. The arguments are the project's folder now, the project's final folder,
            and the progress callback.
    """

    name: str
    land_command: str
    land: Callable[[Path, Path, ProgressUpdate], int]

    def files(self, project: str) -> dict[str, str]:
        """Return the text of each file of a project, by the file's path in the project.

        Args:
            project: name of the project.
        """
        found: dict[str, str] = {}
        values = {
            **{"<<name>>": project, "<<version>>": penstock.__version__, "<<land>>": self.land_command},
            "<<reference>>\n": REFERENCE.read_text(encoding="utf-8"),
        }
        for folder in (FOLDER / COMMON, FOLDER / self.name):
            for path in sorted(folder.rglob(f"*{SUFFIX}")):
                text = path.read_text(encoding="utf-8")
                for placeholder, value in values.items():
                    text = text.replace(placeholder, value)
                found[path.relative_to(folder).as_posix().removesuffix(SUFFIX)] = text
        return found


TEMPLATES = {
    template.name: template
    for template in (
        Template("minimal", "penstock land orders all --from raw", first_landing.land_raw_files),
        Template("trips", f"penstock sample --rows {first_landing.SAMPLE_ROWS}", first_landing.land_sample),
    )
}


def named(name: str) -> Template:
    """Return a template.

    Raises:
        PenstockError: no template has this name.
    """
    if name not in TEMPLATES:
        raise PenstockError("the name of a template", f"`{name}`", f"choose one of {', '.join(TEMPLATES)}")
    return TEMPLATES[name]
