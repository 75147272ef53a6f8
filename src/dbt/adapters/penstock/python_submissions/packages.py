"""Check that the `packages` of a Python model are installed. The adapter does not install packages."""

from __future__ import annotations

import importlib.metadata
import shlex
from collections.abc import Iterable

from packaging.requirements import InvalidRequirement, Requirement

from dbt.adapters.penstock.errors import AdapterError


def missing(packages: Iterable[str]) -> dict[str, str]:
    """Return the requirements that are not met, each with a text that says which version is installed.

    Raises:
        InvalidRequirement: a requirement is not in pip's syntax.
    """
    unmet: dict[str, str] = {}
    for text in packages:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            unmet[text] = "not installed"
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            unmet[text] = f"{version} is installed"
    return unmet


def require(packages: Iterable[str], name: str) -> None:
    """Check that a model's packages are installed.

    Args:
        packages: requirements in pip's syntax, such as `pandas>=2.2`.
        name: the model's name.

    Raises:
        DbtRuntimeError: some requirements are not met. The error names them and the command that installs them.
    """
    try:
        lacking = missing(packages)
    except InvalidRequirement as error:
        found = str(error).splitlines()[0]
        raise AdapterError(f"requirements in pip's syntax in packages of {name}", found, "correct packages") from None
    if lacking:
        found = ", ".join(f"{text} ({version})" for text, version in lacking.items())
        needed, do = f"the packages of the Python model {name}", f"pip install {shlex.join(lacking)}"
        raise AdapterError(needed, found, do, entry="a-package-is-missing")
