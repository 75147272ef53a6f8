"""Print the names of installed packages that a requirement doesn't need: the image's build removes them.

Usage: `unneeded_packages.py 'dbt-penstock[s3,gs]'`, after every package of the lock is installed.
"""

from __future__ import annotations

import importlib.metadata
import sys

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

waiting = [Requirement(text) for text in sys.argv[1:]]
seen: set[tuple[str, frozenset[str]]] = set()
while waiting:
    wanted = waiting.pop()
    key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
    if key in seen:
        continue
    seen.add(key)
    for text in importlib.metadata.requires(wanted.name) or ():
        needed = Requirement(text)
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in key[1] or {""}):
            waiting.append(needed)
installed = {canonicalize_name(package.metadata["Name"]) for package in importlib.metadata.distributions()}
print("\n".join(sorted(installed - {name for name, _ in seen} - {"pip"})))
