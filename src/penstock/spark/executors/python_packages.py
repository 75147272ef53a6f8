"""Pack Python packages and their dependencies into an archive that Spark sends to executors on other machines.

Spark unpacks `spark.archives=FILE#environment` in each executor's working folder
(https://spark.apache.org/docs/latest/api/python/tutorial/python_packaging.html). The archive contains no Python
interpreter. Packages may contain compiled code, so the executors need the same minor version of Python and the same
kind of machine as the driver.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from penstock.errors import PenstockError
from penstock.storage import atomic

FOLDER = "environment"


def closure(packages: Iterable[str]) -> dict[str, importlib.metadata.Distribution]:
    """Return the installed distributions of packages and of all their dependencies, by name.

    Args:
        packages: requirements in pip's syntax, for example `pandas` or `fsspec[http]`.

    Raises:
        PenstockError: a requirement is invalid, or its package is not installed or has another version.
    """
    distributions: dict[str, importlib.metadata.Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [_requirement(text) for text in packages]
    while waiting:
        requirement = waiting.pop()
        extras = frozenset(requirement.extras)
        if (requirement.name.lower(), extras) in seen:
            continue
        seen.add((requirement.name.lower(), extras))
        try:
            distribution = importlib.metadata.distribution(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            raise PenstockError(
                f"the package {requirement.name} for the executors", "it isn't installed here", "pip install it"
            ) from None
        if not requirement.specifier.contains(distribution.version, prereleases=True):
            raise PenstockError(str(requirement), f"{distribution.version} is installed", "pip install that version")
        distributions[distribution.metadata["Name"].lower()] = distribution
        for text in distribution.requires or ():
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in extras or {""}):
                waiting.append(needed)
    return dict(sorted(distributions.items()))


def _requirement(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        found = f"{text!r}: {str(error).splitlines()[0]}"
        raise PenstockError("requirements in server.executors.packages", found, "correct penstock.yml") from None


def archive_path(packages: Iterable[str], shared_dir: Path) -> Path:
    """Return the path of the archive. Its name is a hash of the packages' versions, Python's version and the machine.

    Raises:
        PenstockError: a requirement is invalid, or its package is not installed or has another version.
    """
    versions = [f"{name}=={item.version}" for name, item in closure(packages).items()]
    text = "\n".join([*versions, f"{sys.version_info[:2]}", sys.platform, platform.machine()])
    return shared_dir / "environments" / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.tar.gz"


def pack(packages: Iterable[str], shared_dir: Path) -> Path:
    """Return the path of the archive of packages; create the archive if it is missing.

    Raises:
        PenstockError: a requirement is invalid, or its package is not installed, has another version, or is installed
            in development mode.
    """
    chosen = tuple(packages)
    archive = archive_path(chosen, shared_dir)
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may create the archive at the same time. Their archives have the same content.
    with atomic.replacement(archive) as temporary, tarfile.open(temporary, "w:gz", compresslevel=1) as out:
        for name, distribution in closure(chosen).items():
            if not _add(out, distribution):
                found = "its files aren't in the environment: it is installed in development mode"
                raise PenstockError(f"the package {name} for the executors", found, "pip install it without -e")
    return archive


def _add(out: tarfile.TarFile, distribution: importlib.metadata.Distribution) -> bool:
    """Add a package's files to the archive, without programs and caches. Return whether the files include code."""
    has_code = False
    for file in distribution.files or ():
        source = Path(str(distribution.locate_file(file)))
        if ".." in file.parts or "__pycache__" in file.parts or not source.is_file():
            continue
        out.add(source, arcname=file.as_posix(), recursive=False)
        has_code = has_code or (file.suffix in (".py", ".so") and "__editable__" not in file.name)
    return has_code
