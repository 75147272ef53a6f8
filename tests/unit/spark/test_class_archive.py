"""Drivers and executors that use the server's class archive."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from penstock.config.settings import Settings, load
from penstock.spark import class_archive
from penstock.spark.class_archive import Archive
from penstock.spark.jars import class_path
from penstock.spark.java import Java

JAVA = Java(Path("/java"), 17, "17.0.1")
JARS = [Path("/jars/table.jar")]
TABLE, SERVER = "/jars/table.jar", class_path(JARS)
HERE = "spark://127.0.0.1:7077"


def archived(root: Path, is_there: bool = True, shares: bool = True) -> tuple[Settings, Archive]:
    """Return settings, and the archive of the server's class path."""
    (root / "penstock.yml").write_text(f"version: 1\nserver: {{class_data_sharing: {str(shares).lower()}}}\n")
    settings = load(root)
    archive = Archive.find(settings.shared_dir, "spark", JAVA, SERVER)
    if is_there:
        archive.file.parent.mkdir(parents=True)
        archive.file.touch()
    return settings, archive


@pytest.mark.parametrize(
    ("is_there", "shares", "conf", "path", "options"),
    [
        (False, True, {}, TABLE, None),
        (True, False, {}, TABLE, None),
        (True, True, {}, SERVER, "{archive}"),
        (True, True, {"spark.driver.extraJavaOptions": "-Dx=1"}, SERVER, "{archive} -Dx=1"),
        (True, True, {"spark.driver.extraClassPath": "/mine.jar"}, f"{TABLE}:/mine.jar", None),
    ],
)
def test_a_driver_reads_the_archive_if_it_fits(
    tmp_path: Path, is_there: bool, shares: bool, conf: dict[str, str], path: str, options: Any
) -> None:
    """It fits if it exists, is enabled, and no jar of the user comes before Spark's."""
    settings, archive = archived(tmp_path, is_there, shares)
    made = class_archive.driver_conf(conf, settings, JAVA, JARS)
    assert made["spark.driver.extraClassPath"] == path
    expected = options and options.format(archive=" ".join(archive.options()))
    assert made.get("spark.driver.extraJavaOptions") == expected


@pytest.mark.parametrize(
    ("conf", "reads"),
    [
        ({"spark.master": HERE}, True),
        ({"spark.master": "spark://localhost:7077,localhost:7078"}, True),
        ({"spark.master": "spark://127.0.0.1:7077,far:7077"}, False),
        ({"spark.master": "yarn"}, False),
        ({"spark.master": "local[*]"}, False),
        ({"spark.master": HERE, "spark.executor.extraClassPath": f"/mine.jar:{TABLE}"}, False),
        ({"spark.master": HERE, "spark.executor.extraClassPath": None}, False),
    ],
)
def test_executors_on_this_machine_read_the_archive(tmp_path: Path, conf: dict[str, Any], reads: bool) -> None:
    """Unless Spark sends them their jars, or the user sets their class path."""
    settings, archive = archived(tmp_path)
    given = {"spark.executor.extraClassPath": TABLE, "spark.executor.extraJavaOptions": "-Dx=1", **conf}
    given = {key: value for key, value in given.items() if value is not None}
    made = class_archive.executor_conf(given, settings, JAVA, JARS)
    if not reads:
        assert made == given
        return
    assert made["spark.executor.extraClassPath"] == SERVER
    assert made["spark.executor.extraJavaOptions"] == " ".join([*archive.options(), "-Dx=1"])


@pytest.mark.parametrize("name", ["my project", "o'neil", 'a "b"'])
def test_a_folder_name_with_shell_characters_stays_one_argument(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    root.mkdir()
    settings, archive = archived(root)
    made = class_archive.driver_conf({}, settings, JAVA, JARS)
    assert shlex.split(made["spark.driver.extraJavaOptions"]) == archive.options()
