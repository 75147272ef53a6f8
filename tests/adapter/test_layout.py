"""The project's macros on a real server: hints in plans, sizes and order of files, maintenance."""

from __future__ import annotations

import os
import re
import urllib.parse
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from tests.support.projects import ROOT, Project, small_project

MB = 1024 * 1024
TRIPS = "select * from parquet.`{{ env_var('TRIPS') }}`"
# Rows in an order of no use, by `tasks` tasks or as the session's shuffle has it.
MIXED = f"select {{{{ hints(repartition(var('tasks', 3), 'PULocationID')) }}}} * from ({TRIPS})"
JOINED = "select {{{{ hints({}) }}}} t.PULocationID, z.zone, t.file_month from t inner join z on {} order by 1"
SIDES = "with t as (" + TRIPS + "), z as (select * from {{ ref('zones') }}) "
EQUAL, RANGE = "t.PULocationID = z.id", "t.PULocationID < z.id"
HINTED = {
    "broadcast": ("broadcast('z')", EQUAL, "BroadcastHashJoin"),
    "merge": ("merge('z')", EQUAL, "SortMergeJoin"),
    "shuffle_hash": ("shuffle_hash('z')", EQUAL, "ShuffledHashJoin"),
    "shuffle_replicate_nl": ("shuffle_replicate_nl('z')", RANGE, "CartesianProduct"),
    "coalesce": ("coalesce(1)", EQUAL, "Coalesce 1"),
    "repartition": ("repartition(7, 'file_month')", EQUAL, "REPARTITION_BY_NUM"),
    "repartition_by_range": ("repartition_by_range(5, 'zone')", EQUAL, "rangepartitioning"),
    "rebalance": ("broadcast('z'), rebalance('file_month')", EQUAL, "REBALANCE_PARTITIONS_BY_COL"),
    "rebalance_all": ("rebalance()", EQUAL, "REBALANCE_PARTITIONS_BY_NONE"),
}
SIZED = {
    "parts": "monthly_partitions('file_month'), target_file_size(1)",
    "near": "clustered('PULocationID'), target_file_size(1)",
    "sorted_parts": "monthly_partitions('file_month'), target_file_size(1), sorted_within('PULocationID')",
    "files_whole": "target_file_size(1)",
}
BY_FOLDER = {
    "+materialized": "table",
    "+file_format": "parquet",
    "+partition_by": ["file_month"],
    "+target_file_size_mb": 1,
    "+sorted_within": ["PULocationID"],
}
PYTHON = """
def model(dbt, session):
    dbt.config(materialized="table", partition_by=["file_month"], target_file_size_mb=1, sorted_within="PULocationID")
    return dbt.ref("near").repartition(24, "PULocationID")
"""


def model(layout: str, sql: str, **config: Any) -> str:
    arguments = "".join(f", {key}={value!r}" for key, value in config.items())
    return f"{{{{ config(**layout({layout})) }}}}{{{{ config(materialized='table'{arguments}) }}}} {sql}"


FILES = {
    "dbt_project.yml": yaml.safe_dump(
        {
            "name": "small",
            "version": "1.0.0",
            "profile": "small",
            "flags": {"send_anonymous_usage_stats": False},
            "models": {
                "small": {
                    "+spark_conf": {"spark.sql.shuffle.partitions": "{{ var('parts', 2) }}"},
                    "sized": {"by_folder": BY_FOLDER},
                }
            },
        }
    ),
    "lake.yml": (ROOT / "lake.yml").read_text(),
    "models/zones.sql": "{{ config(materialized='table') }} select id, concat('zone ', id) as zone from range(265)",
    "models/some_zones.sql": "{{ config(materialized='view') }} select * from {{ ref('zones') }} where id < 9",
    **{f"models/hinted/{name}.sql": SIDES + JOINED.format(hint, on) for name, (hint, on, _) in HINTED.items()},
    **{
        f"models/sized/{name}.sql": model(layout, MIXED, file_format="parquet" if "files" in name else "delta")
        for name, layout in SIZED.items()
    },
    "models/sized/in_python.py": PYTHON,
    "models/sized/by_folder/folder_sorted.sql": MIXED,
    "models/sized/by_folder/seen.sql": "{{ config(materialized='view') }} select 1 as id",
    "models/wild.sql": model("monthly_partitions('file_month')", MIXED),
    "models/sized/grown.sql": (
        "{{ config(materialized='incremental', **layout(monthly_partitions('file_month'), target_file_size(1), "
        "sorted_within('PULocationID'))) }} " + MIXED
    ),
    "models/zorder.sql": model(
        "monthly_partitions('file_month'), clustered('PULocationID')", MIXED, post_hook="{{ compact() }}"
    ),
    "models/small/by_size.sql": (
        "with t as (select * from {{ ref('some_zones') }}), z as (select * from {{ ref('zones') }}) "
        "select {{ hints(broadcast_if_small(ref('zones'), 'z'), broadcast_if_small(ref('some_zones'), 't')) }} "
        "z.id, t.zone from t inner join z on t.id = z.id"
    ),
    "models/wrong/no_size.sql": "{{ config(materialized='table', target_file_size_mb=0) }} select 1 as id",
    "models/wrong/no_columns.sql": "{{ config(materialized='table', sorted_within=[1]) }} select 1 as id",
    "models/wrong/both.sql": (
        "{{ config(materialized='table', partition_by='id', clustered_by=['ID']) }} select 1 as id"
    ),
    "models/wrong/wrong_python.py": (
        "def model(dbt, session):\n    dbt.config(target_file_size_mb='big')\n    return session.range(1)\n"
    ),
    "macros/all_of_it.sql": (
        "{% macro all_of_it() %}{% do cluster('zorder', where=\"file_month = date'2023-01-01'\") %}"
        "{% do cluster() %}{% do compact('zones') %}{% do vacuum('zorder') %}{% do analyze('plain') %}{% endmacro %}"
    ),
    "models/plain.sql": "{{ config(materialized='table', file_format='parquet') }} select 1 as id",
}


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    """The project's macros over a sample of two months of yellow trips, in a project of their own."""
    macros = {
        str(path.relative_to(ROOT)): path.read_text()
        for folder in ("joins", "layout", "maintenance")
        for path in (ROOT / "macros" / folder).rglob("*.*")
    }
    project = small_project(tmp_path_factory.mktemp("layout"), {**FILES, **macros}, {"keep_plans": True}, host=host)
    made = project.penstock("sample", "--rows", "150000", "--dataset", "yellow", "--months", "2023-01..2023-02")
    assert made.returncode == 0, made.stdout
    built = dbt(project, "run", "--select", "zones", "some_zones", "plain")
    assert built.returncode == 0, built.stdout[-4000:]
    return project


def dbt(project: Project, *arguments: str, **values: Any) -> Any:
    return project.dbt(*arguments, "--vars", yaml.safe_dump(values), TRIPS=str(project.root / "lake" / "yellow"))


def files(project: Project, table: str) -> dict[str, dict[Path, int]]:
    """Bytes of a table's live files, by the folder that each lies in."""
    found: dict[str, dict[Path, int]] = defaultdict(dict)
    for (address,) in project.sql(f"select distinct _metadata.file_path from small.{table}"):
        path = Path(urllib.parse.unquote(urllib.parse.urlparse(address).path))
        found[path.parent.name][path] = path.stat().st_size
    return found


@pytest.mark.parametrize("name", [*HINTED])
def test_a_hint_is_in_the_plan(laid_out: Project, name: str) -> None:
    """Each does what it says, in a query with a join of two sides."""
    compiled = laid_out.root / "target" / "compiled" / "small" / "models" / "hinted" / f"{name}.sql"
    if not compiled.exists():
        done = dbt(laid_out, "compile", "--select", "hinted")
        assert done.returncode == 0, done.stdout[-3000:]
    rows = laid_out.sql(f"explain {compiled.read_text()}")
    assert HINTED[name][2] in rows[0][0]


def test_a_side_is_broadcast_while_it_is_small(laid_out: Project) -> None:
    """The decision is logged with the figure; a view has the size of what it reads."""
    done = dbt(laid_out, "compile", "--select", "by_size")
    assert re.search(r"small\.zones is 0\.0\d MB, the limit 10 MB: broadcast\(z\)", done.stdout), done.stdout
    assert re.search(r"small\.some_zones is 0\.0\d MB, the limit 10 MB: broadcast\(t\)", done.stdout)
    assert "/*+ broadcast(z), broadcast(t) */" in done.stdout
    done = dbt(laid_out, "compile", "--select", "by_size", broadcast_limit_mb=0.0001)
    assert "the limit 0.0001 MB: no broadcast of z" in done.stdout
    assert "/*+" not in done.stdout


def test_a_side_of_unknown_size_is_not_broadcast(laid_out: Project) -> None:
    inline = (
        "{% set gone = api.Relation.create(schema='small', identifier='gone') %}"
        "select {{ hints(broadcast_if_small(gone, 'z')) }} {{ broadcast_if_small(ref('plain'), 'p') }}"
    )
    done = dbt(laid_out, "compile", "--inline", inline)
    assert "small.gone is of unknown size, the limit 10 MB: no broadcast of z" in done.stdout
    assert "/*+" not in done.stdout
    assert "small.plain is 0.00 MB, the limit 10 MB: broadcast(p)" in done.stdout, "by the catalog's statistics"


@pytest.mark.parametrize(("parts", "tasks"), [(2, 3), (64, 24)])
def test_one_write_leaves_at_most_one_small_file_a_partition(laid_out: Project, parts: int, tasks: int) -> None:
    """Under a quarter of the target, whatever the parallelism; files of a sorted table are sorted.

    The incremental table is written to once more by the second turn.
    """
    done = dbt(laid_out, "run", "--select", "sized", "wild", parts=parts, tasks=tasks)
    assert done.returncode == 0, done.stdout[-4000:]
    for name in [*SIZED, "folder_sorted", "in_python", "grown"]:
        writes = len(laid_out.sql("describe history small.grown")) if name == "grown" else 1
        for folder, own in files(laid_out, name).items():
            small = [size for size in own.values() if size < MB / 4]
            assert len(small) <= writes, (name, folder, sorted(own.values()))
            assert max(own.values()) < 2.5 * MB, (name, folder, sorted(own.values()))
            assert len(own) > 1 or folder != name, "a whole table has several"
            if "sorted" in name or name in ("in_python", "grown"):
                for path in own:
                    zones = pq.read_table(path, columns=["PULocationID"], partitioning=None)["PULocationID"]
                    rows: list[Any] = zones.to_pylist()
                    assert rows == sorted(rows), (name, path)
    wild = files(laid_out, "wild")
    assert tasks < 24 or all(len([size for size in own.values() if size < MB / 4]) > 1 for own in wild.values())


def test_maintenance_says_what_it_did(laid_out: Project) -> None:
    """Files and bytes; Z-order in a partitioned table; statistics where the catalog keeps them."""
    built = dbt(laid_out, "run", "--select", "zorder", "near", tasks=24)
    assert built.returncode == 0, built.stdout[-4000:]
    hooked = re.search(r"compact small\.zorder: (\d+) files of [\d.]+ MB became 2 of [\d.]+ MB", built.stdout)
    assert hooked and int(hooked[1]) > 2, built.stdout
    stray = next(iter(next(iter(files(laid_out, "zorder").values())))).with_name("part-of-a-lost-write.parquet")
    stray.write_bytes(b"x" * MB)
    os.utime(stray, (0, 0))
    before = {name: files(laid_out, name) for name in ("zorder", "near")}
    done = dbt(laid_out, "run-operation", "all_of_it")
    assert done.returncode == 0, done.stdout[-4000:]
    assert re.search(r"cluster small\.zorder: 1 files of .* became 1 of .*, zorder by \(`PULocationID`\)", done.stdout)
    assert re.search(r"cluster small\.near: \d+ files", done.stdout)
    assert re.search(r"compact small\.zones: \d+ files of .* became \d+ of", done.stdout)
    assert re.search(r"vacuum small\.zorder: 1 files of 1\.00 MB deleted, unused for 168 hours", done.stdout)
    assert not stray.exists()
    assert re.search(r"analyze small\.plain: \d+ bytes, 1 rows", done.stdout)
    for name, old in before.items():
        assert all(not set(own) & set(old[folder]) for folder, own in files(laid_out, name).items()), name
    described = laid_out.sql("describe history small.zorder")
    assert any("PULocationID" in row[5] for row in described if row[4] == "OPTIMIZE")


def test_a_wrong_value_in_the_configuration_is_an_error_by_name(laid_out: Project) -> None:
    done = dbt(laid_out, "run", "--select", "wrong")
    assert done.returncode == 1
    for words in (
        "needed: a whole number of MB, at least 1, as target_file_size_mb of model.small.no_size. found: 0.",
        "needed: a column or a list of columns as sorted_within of model.small.no_columns. found: [1].",
        "needed: columns other than those of partition_by as clustered_by of model.small.both. found: ID in both.",
        "as target_file_size_mb of wrong_python. found: 'big'.",
    ):
        assert words in done.stdout, words


@pytest.mark.parametrize(
    ("operation", "arguments", "words"),
    [
        ("compact", "{model: nowhere}", "found: 'nowhere'. do: name one of "),
        (
            "vacuum",
            "{retention_hours: 24}",
            "needed: vacuum() takes retention_hours of at least 168, a week. found: 24.",
        ),
    ],
)
def test_an_operation_refuses_what_it_can_not_do(laid_out: Project, operation: str, arguments: str, words: str) -> None:
    """The other refusals are in the unit tests."""
    done = dbt(laid_out, "run-operation", operation, "--args", arguments)
    assert done.returncode != 0
    assert words in " ".join(done.stdout.split())
