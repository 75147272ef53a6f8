"""What a driver of its own is started with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dbt.adapters.penstock.python import submission
from penstock.server import configuration
from penstock.server.archive import Archive
from penstock.server.java import Java
from penstock.settings import load

JAVA = Java(Path("/java"), 17, "17.0.1")
JARS = [Path("/jars/table.jar")]
TABLE, SERVER = "/jars/table.jar", configuration.class_path(JARS)


def classes(root: Path, conf: dict[str, str]) -> tuple[str, str | None]:
    """The class path and the options of a driver."""
    made = submission.with_classes(conf, load(root), JAVA, JARS)
    return made["spark.driver.extraClassPath"], made.get("spark.driver.extraJavaOptions")


@pytest.mark.parametrize(
    ("archived", "shares", "conf", "path", "options"),
    [
        (False, True, {}, TABLE, None),
        (True, False, {}, TABLE, None),
        (True, True, {}, SERVER, "{archive}"),
        (True, True, {"spark.driver.extraJavaOptions": "-Dx=1"}, SERVER, "{archive} -Dx=1"),
        (True, True, {"spark.driver.extraClassPath": "/mine.jar"}, f"{TABLE}:/mine.jar", None),
    ],
)
def test_a_driver_has_the_servers_archive_of_classes_where_it_fits(
    tmp_path: Path, archived: bool, shares: bool, conf: dict[str, str], path: str, options: Any
) -> None:
    """The archive is there, wanted, and no jar of the user's comes before Spark's."""
    (tmp_path / "penstock.yml").write_text(f"version: 1\nserver: {{class_data_sharing: {str(shares).lower()}}}\n")
    archive = Archive.of(load(tmp_path).state_dir, "spark", JAVA, SERVER)
    if archived:
        archive.file.parent.mkdir(parents=True)
        archive.file.touch()
    assert classes(tmp_path, conf) == (path, options and options.format(archive=" ".join(archive.options())))
