"""Executors that have nothing of this machine's: jars and Python packages are sent to them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reach import cluster_project
from tests.reach.cluster_project import ROWS, Clustered
from tests.support.projects import ROOT, edited

UDF = """
def model(dbt, session):
    dbt.config(materialized="table"SUBMIT)

    def where(frames):
        import sys

        import pandas
        import pyarrow

        for frame in frames:
            frame["python"], frame["pandas"], frame["pyarrow"] = sys.executable, pandas.__file__, pyarrow.__file__
            yield frame

    return dbt.ref("a_table").select("id").mapInPandas(where, "id long, python string, pandas string, pyarrow string")
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of this version without any package."""
    folder = tmp_path_factory.mktemp("bare") / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def sent(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clustered]:
    """A project whose executors run that Python, and are sent what they need."""
    (ROOT / ".penstock" / "environments").mkdir(parents=True, exist_ok=True)
    made = cluster_project.make(
        tmp_path_factory.mktemp("sent") / "project",
        {"count": 1, "jars": "ship", "python": str(bare), "packages": ["pandas", "pyarrow"]},
    )
    (made.project.root / ".penstock" / "environments").symlink_to(ROOT / ".penstock" / "environments")
    models = made.project.root / "models"
    for name in ("a_udf.py", "a_driver.py", "schema.yml"):
        (models / name).unlink()
    for name, submit in (("connected", ""), ("submitted", ', submission_method="spark_submit"')):
        (models / f"{name}.py").write_text(UDF.replace("SUBMIT", submit))
    with cluster_project.built(made):
        yield made


def test_everything_runs_with_what_was_sent(sent: Clustered, bare: Path) -> None:
    """Delta's classes and the packages lie in the executors' own folders; both kinds of driver have them."""
    assert sent.project.sql("select v, count(*) from small.an_incremental group by v") == [(10, ROWS)]
    work = sent.project.root / ".penstock" / "cluster-nodes" / "work"
    for name in ("connected", "submitted"):
        assert sent.project.sql(f"select count(distinct id) from small.{name}") == [(ROWS,)]
        rows = sent.project.sql(f"select distinct python, pandas, pyarrow from small.{name}")
        for python, *packages in rows:
            assert python == str(bare)
            assert all("environment/" in Path(file).resolve().as_posix() for file in packages), packages
    executor = sent.executors()[0]
    assert "delta" not in " ".join([*executor.cmdline(), executor.environ().get("CLASSPATH", "")])
    assert list(work.rglob("delta-spark_*.jar"))


def test_a_package_that_was_not_sent_is_missed(sent: Clustered) -> None:
    """So it is the archive that they have them from; the error names the package."""
    model = sent.project.root / "models" / "connected.py"
    with edited(model, model.read_text().replace("import pandas\n", "import rich\n", 1)):
        done = sent.project.dbt("run", "--select", "connected")
    assert done.returncode == 1
    assert "No module named 'rich'" in done.stdout and "Traceback" not in done.stdout
