"""Resolve the jars that an image holds: those of a penstock.yml, and others named after it.

Called as `resolve_jars.py FOLDER COORDINATE…`; they go where the file's first level keeps its state.
"""

from __future__ import annotations

import sys
from pathlib import Path

from penstock.config.settings import load
from penstock.spark import jars, java

settings = load(Path(sys.argv[1]))
found_java = java.find(settings.server.java_home)
jars.of_server(settings, found_java)
for packages in (settings.server.packages, sys.argv[2:]):
    found = jars.resolve(packages, settings.shared_dir, found_java)
    print(f"{len(found)} jars of {', '.join(packages)} below {settings.shared_dir}")
