"""Download the jars of an image: those of a penstock.yml, and further Maven coordinates.

Usage: `resolve_jars.py FOLDER COORDINATE…`. FOLDER has the penstock.yml, whose `state` is where the jars go.
"""

from __future__ import annotations

import sys
from pathlib import Path

from penstock.config.settings import load
from penstock.spark import jars, java

settings = load(Path(sys.argv[1]))
found_java = java.find(settings.server.java_home)
jars.server_jars(settings, found_java)
for packages in (settings.server.packages, sys.argv[2:]):
    resolved = jars.resolve(packages, settings.shared_dir, found_java)
    print(f"{len(resolved)} jars of {', '.join(packages)} below {settings.shared_dir}")
