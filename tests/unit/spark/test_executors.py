"""Settings of executors, the archive of their packages, and invalid masters; without Spark."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace

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
    """Return settings with these keys of `server`."""
    (root / "penstock.yml").write_text(f"server: {{{server}}}\n")
    return load(root)


def defaults(found: Settings) -> dict[str, str]:
    """Return Spark's settings."""
    return configuration.spark_defaults(found, Ports(), "token", JARS)


def test_targets_with_equal_settings_share_a_server(tmp_path: Path) -> None:
    one = settings(tmp_path, "memory: 1g")
    other = one.model_copy(update={"target": "dev"})
    assert configuration.fingerprint(one, JAVA) == configuration.fingerprint(other, JAVA)
    assert configuration.fingerprint(one, JAVA) != configuration.fingerprint(settings(tmp_path, "memory: 2g"), JAVA)


def test_a_local_master_has_no_executors(tmp_path: Path) -> None:
    found = defaults(settings(tmp_path, "executors: {python: /other/python, packages: [numpy]}"))
    assert not {"spark.cores.max", "spark.executor.instances", "spark.archives", "spark.jars"} & set(found)
    assert configuration.environment(load(tmp_path), JAVA, tmp_path)["PYSPARK_PYTHON"] == sys.executable


def test_a_cluster_starts_the_configured_executors(tmp_path: Path) -> None:
    """With a limit of cores, as a standalone master would give all; jars are found by their paths."""
    found = defaults(settings(tmp_path, "master: 'spark://a:7077', executors: {count: 3, cores: 2, memory: 4g}"))
    names = ("spark.executor.instances", "spark.executor.cores", "spark.executor.memory", "spark.cores.max")
    assert [found[name] for name in names] == ["3", "2", "4g", "6"]
    assert found["spark.executor.extraClassPath"] == "/jars/a.jar:/jars/b.jar"
    assert "spark.jars" not in found


def test_jars_and_packages_are_sent_if_configured(tmp_path: Path) -> None:
    found = settings(tmp_path, "master: yarn, executors: {jars: ship, packages: [typer], python: python3.11}")
    asked = defaults(found)
    assert asked["spark.jars"] == "file:///jars/a.jar,file:///jars/b.jar"
    assert "spark.executor.extraClassPath" not in asked
    assert asked["spark.archives"].endswith(".tar.gz#environment")
    assert asked["spark.executorEnv.PYTHONPATH"] == "environment:../environment"
    made = configuration.environment(found, JAVA, tmp_path)
    assert (made["PYSPARK_PYTHON"], made["PYSPARK_DRIVER_PYTHON"]) == ("python3.11", sys.executable)


def test_spark_conf_overrides_the_executors_settings(tmp_path: Path) -> None:
    more = "master: yarn, spark_conf: {spark.executor.cores: 7}"
    assert defaults(settings(tmp_path, more))["spark.executor.cores"] == "7"


def test_the_archive_contains_a_package_and_its_dependencies(tmp_path: Path) -> None:
    """A Python process without other packages imports it from the unpacked archive."""
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
    done = subprocess.run(bare, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(line.startswith(str(tmp_path / "environment")) for line in done.stdout.splitlines())


def test_the_archive_is_named_after_the_versions_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = python_packages.archive_path(["rich"], tmp_path)
    installed = python_packages.closure(["rich"])
    # Not a patch of importlib.metadata: packages such as setuptools replace the class of the distributions.
    changed = {**installed, "pygments": SimpleNamespace(version="2.99")}
    assert installed.keys() == changed.keys()
    monkeypatch.setattr(python_packages, "closure", lambda packages: changed)
    assert python_packages.archive_path(["rich"], tmp_path) != before


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("no-such-package-here", "it isn't installed here"),
        ("rich<1", "is installed"),
        ("rich ==", "requirements in server.executors.packages"),
        ("dbt-penstock", "development mode"),
    ],
)
def test_a_package_that_cannot_be_sent_is_named(tmp_path: Path, package: str, message: str) -> None:
    with pytest.raises(PenstockError, match=message):
        python_packages.pack([package], tmp_path)
    assert not list(tmp_path.rglob("*.tar.gz")) and not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ("master: 'spark:/a:7077'", "a Spark master"),
        ("master: 'spark://a'", "a Spark master"),
        ("master: 'mesos://a:5050'", "a Spark master"),
        ("master: 'spark://127.0.0.1:1'", "no answer.*penstock cluster up"),
        ("master: 'k8s://https://10.0.0.1:6443'", "listens on 127.0.0.1 alone.*server.bind"),
    ],
)
def test_an_unusable_master_is_refused(tmp_path: Path, server: str, message: str) -> None:
    with pytest.raises(PenstockError, match=message):
        masters.require_reachable(settings(tmp_path, server))


def test_a_driver_that_executors_reach_is_not_refused(tmp_path: Path) -> None:
    masters.require_reachable(settings(tmp_path, "master: 'k8s://https://10.0.0.1:6443', bind: 0.0.0.0"))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            "[PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.10 than that in driver: 3.11, PySpark",
            r"needed: Python 3\.11 on the executors of yarn, as here\. found: Python 3\.10",
        ),
        ('java.io.IOException: Cannot run program "/no/python": error=2, No such file', "found: no /no/python"),
        ("Traceback\nValueError: strange", "found: ValueError: strange"),
    ],
)
def test_an_error_of_the_executors_python_is_explained(tmp_path: Path, output: str, message: str) -> None:
    with pytest.raises(PenstockError, match=message):
        raise launch._python_error(settings(tmp_path, "master: yarn"), output, 1.0)


@pytest.mark.parametrize("wrong", ["count: 0", "memory: lots", "jars: sometimes", "wait_seconds: 0", "cpus: 2"])
def test_invalid_executors_are_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(PenstockError, match=f"server.executors.{wrong.split(':')[0]}"):
        settings(tmp_path, f"executors: {{{wrong}}}")
