"""What executors are started with, the archive they are sent, and masters that can't be, without a Spark."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from penstock.config.sections import Ports
from penstock.config.settings import Settings, load
from penstock.errors import PenstockError
from penstock.spark import masters
from penstock.spark.executors import launch, python_packages
from penstock.spark.java import Java
from penstock.spark.server import configuration

JAVA = Java(Path("/opt/java"), 17, "17.0.15")
JARS = [Path("/jars/a.jar"), Path("/jars/b.jar")]


def settings(root: Path, server: str) -> Settings:
    """Settings with these keys of `server`."""
    (root / "penstock.yml").write_text(f"server: {{{server}}}\n")
    return load(root)


def defaults(found: Settings) -> dict[str, str]:
    """Spark's settings of them."""
    return configuration.spark_defaults(found, Ports(), "token", JARS)


def test_a_local_master_asks_for_no_executors(tmp_path: Path) -> None:
    found = defaults(settings(tmp_path, "executors: {python: /other/python, packages: [numpy]}"))
    assert not {"spark.cores.max", "spark.executor.instances", "spark.archives", "spark.jars"} & set(found)
    assert configuration.environment(load(tmp_path), JAVA, tmp_path)["PYSPARK_PYTHON"] == sys.executable


def test_a_cluster_is_asked_for_what_the_settings_say(tmp_path: Path) -> None:
    """A standalone master would give all it has; jars are found by their paths."""
    found = defaults(settings(tmp_path, "master: 'spark://a:7077', executors: {count: 3, cores: 2, memory: 4g}"))
    names = ("spark.executor.instances", "spark.executor.cores", "spark.executor.memory", "spark.cores.max")
    assert [found[name] for name in names] == ["3", "2", "4g", "6"]
    assert found["spark.executor.extraClassPath"] == "/jars/a.jar:/jars/b.jar"
    assert "spark.jars" not in found


def test_jars_and_packages_are_sent_when_asked(tmp_path: Path) -> None:
    found = settings(tmp_path, "master: yarn, executors: {jars: ship, packages: [typer], python: python3.11}")
    asked = defaults(found)
    assert asked["spark.jars"] == "file:///jars/a.jar,file:///jars/b.jar"
    assert "spark.executor.extraClassPath" not in asked
    assert asked["spark.archives"].endswith(".tar.gz#environment")
    assert asked["spark.executorEnv.PYTHONPATH"] == "environment:../environment"
    made = configuration.environment(found, JAVA, tmp_path)
    assert (made["PYSPARK_PYTHON"], made["PYSPARK_DRIVER_PYTHON"]) == ("python3.11", sys.executable)


def test_the_users_spark_settings_win_over_executors(tmp_path: Path) -> None:
    more = "master: yarn, spark_conf: {spark.executor.cores: 7}"
    assert defaults(settings(tmp_path, more))["spark.executor.cores"] == "7"


def test_a_sent_package_is_whole_with_what_it_needs(tmp_path: Path) -> None:
    """Another Python process finds it in the unpacked archive, and nowhere else."""
    packed = python_packages.pack(["rich"], tmp_path)
    assert python_packages.pack(["rich"], tmp_path) == packed
    assert [path.name for path in packed.parent.iterdir()] == [packed.name]
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "environment")
    code = "import rich.markdown; print(rich.__file__); import pygments; print(pygments.__file__)"
    bare = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(tmp_path / 'environment')!r}); {code}",
    ]
    said = subprocess.run(bare, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert all(line.startswith(str(tmp_path / "environment")) for line in said.stdout.splitlines())


def test_the_archive_is_named_after_the_versions_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = python_packages.path(["rich"], tmp_path)
    real = importlib.metadata.Distribution.version.fget
    assert real
    changed = property(lambda self: "2.99" if self.metadata["Name"] == "Pygments" else real(self))
    monkeypatch.setattr(importlib.metadata.Distribution, "version", changed)
    monkeypatch.setattr(importlib.metadata.PathDistribution, "version", changed, raising=False)
    assert python_packages.path(["rich"], tmp_path) != before


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("no-such-package-here", "it isn't installed here"),
        ("rich<1", "is installed"),
        ("rich ==", "requirements in server.executors.packages"),
        ("dbt-penstock", "development mode"),
    ],
)
def test_a_package_that_cannot_be_sent_is_named(tmp_path: Path, package: str, words: str) -> None:
    with pytest.raises(PenstockError, match=words):
        python_packages.pack([package], tmp_path)
    assert not list(tmp_path.rglob("*.tar.gz")) and not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("master: 'spark:/a:7077'", "a Spark master"),
        ("master: 'spark://a'", "a Spark master"),
        ("master: 'mesos://a:5050'", "a Spark master"),
        ("master: 'spark://127.0.0.1:1'", "no answer.*penstock cluster up"),
        ("master: 'k8s://https://10.0.0.1:6443'", "listens on 127.0.0.1 alone.*server.bind"),
    ],
)
def test_a_master_that_cannot_be_is_refused_before_a_driver_is_started(tmp_path: Path, server: str, words: str) -> None:
    with pytest.raises(PenstockError, match=words):
        masters.require(settings(tmp_path, server))


def test_a_driver_that_executors_reach_is_not_refused(tmp_path: Path) -> None:
    masters.require(settings(tmp_path, "master: 'k8s://https://10.0.0.1:6443', bind: 0.0.0.0"))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "[PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.10 than that in driver: 3.11, PySpark",
            r"needed: Python 3\.11 on the executors of yarn, as here\. found: Python 3\.10",
        ),
        ('java.io.IOException: Cannot run program "/no/python": error=2, No such file', "found: no /no/python"),
        ("Traceback\nValueError: strange", "found: ValueError: strange"),
    ],
)
def test_what_executors_answer_is_told_in_words(tmp_path: Path, said: str, words: str) -> None:
    with pytest.raises(PenstockError, match=words):
        raise launch._explained(settings(tmp_path, "master: yarn"), said, 1.0)


@pytest.mark.parametrize("wrong", ["count: 0", "memory: lots", "jars: sometimes", "wait_seconds: 0", "cpus: 2"])
def test_executors_that_cannot_be_are_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(PenstockError, match=f"server.executors.{wrong.split(':')[0]}"):
        settings(tmp_path, f"executors: {{{wrong}}}")
