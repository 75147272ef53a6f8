"""Tests of the parts that benchmarks share: tables, blocks of the docs, commands, the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.measure import parse_peak, run_command
from bench.projects import Project, sample_command
from bench.report import Page, Report, format_bytes, format_rows, table
from bench.run import BENCHMARKS, load_benchmark, parse
from bench.scale_project import ScaleProject

ROOT = Path(__file__).resolve().parents[2]


def test_a_table_aligns_numbers_right() -> None:
    assert table(["a", "b", "c"], [["x", "y", "1"]], text_columns=2) == [
        "| a | b | c |",
        "| --- | --- | ---: |",
        "| x | y | 1 |",
    ]


def test_a_padded_table_has_lines_of_one_width() -> None:
    lines = table(["name", "cpu", "s"], [["a", "1", "12"], ["longer", "100", "3"]], padded=True)
    assert lines == [
        "| name   | cpu |  s |",
        "| ------ | --: | -: |",
        "| a      |   1 | 12 |",
        "| longer | 100 |  3 |",
    ]


def test_a_row_with_a_missing_cell_is_refused() -> None:
    with pytest.raises(ValueError):
        table(["a", "b"], [["x"]])


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KB"),
        (20 * 2**20, "20 MB"),
        (1.44 * 2**30, "1.4 GB"),
        (2**50, "1,024 TB"),
    ],
)
def test_bytes_have_two_digits_or_more(amount: float, text: str) -> None:
    assert format_bytes(amount) == text


@pytest.mark.parametrize(("count", "text"), [(20_000, "20,000"), (2_500_000, "2.5 million"), (10**11, "100 billion")])
def test_rows_are_rounded_to_millions(count: int, text: str) -> None:
    assert format_rows(count) == text


def page(path: Path, *names: str) -> Page:
    return Page(path, "made by x: ", names)


TEXT = "# A\n\n<!-- made by x: a -->\nold\n<!-- end -->\nBy hand.\n\n<!-- made by x: b c -->\n<!-- end -->\n"


def test_a_block_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(TEXT)
    page(path, "a", "b c").write(Report([], {"b c": ["new", "lines"]}))
    assert path.read_text() == TEXT.replace("b c -->\n", "b c -->\nnew\nlines\n")
    assert page(path).blocks(path.read_text()) == {"a": ["old"], "b c": ["new", "lines"]}


def test_a_block_may_be_empty(tmp_path: Path) -> None:
    text = page(tmp_path, "a", "b c").fill(TEXT, {"a": []})
    assert text == TEXT.replace("old\n", "")


@pytest.mark.parametrize("names", [("a",), ("a", "b c", "d"), ("a", "d")])
def test_a_page_must_have_exactly_the_blocks(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit, match="found: `<!-- made by x: a -->`, `<!-- made by x: b c -->`"):
        page(tmp_path, *names).fill(TEXT, {})


def test_a_page_without_names_refuses_blocks_that_the_report_lacks(tmp_path: Path) -> None:
    blocks = {"a": ["1"], "b c": ["2"], "more": ["3"]}
    assert page(tmp_path).blocks(page(tmp_path).fill(TEXT, blocks)) == {"a": ["1"], "b c": ["2"]}
    with pytest.raises(SystemExit, match="needed: blocks `<!-- made by x: a -->` in"):
        page(tmp_path).fill(TEXT, {"a": ["1"]})


def test_a_page_without_any_block_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="found: none"):
        page(tmp_path, "a").fill("# A\n", {"a": ["1"]})


def test_the_block_of_a_page_that_has_one_is_nameless(tmp_path: Path) -> None:
    only = Page(tmp_path / "page.md", "made by x", ("",))
    text = "<!-- made by x -->\nold\n<!-- end -->\n"
    assert only.fill(text, {"": ["new"]}) == text.replace("old", "new")


def test_a_command_is_measured(tmp_path: Path) -> None:
    code = "import os, sys; sum(range(3_000_000)); print(os.environ['ADDED'], os.getcwd())"
    code += "; print('b', file=sys.stderr)"
    finished = run_command((sys.executable, "-c", code), tmp_path, variables={"ADDED": "yes"})
    assert sorted(finished.output.splitlines()) == ["b", f"yes {tmp_path.resolve()}"]
    assert 0 < finished.cpu < finished.wall + 5
    assert finished.peak > 2**20


def test_a_command_that_fails_ends_the_benchmark_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"(?s)failed in .*why"):
        run_command((sys.executable, "-c", "import sys; sys.exit('why')"), tmp_path)


def test_variables_of_the_caller_that_configure_dbt_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_TARGET_PATH", "elsewhere")
    monkeypatch.setenv("PENSTOCK_TARGET", "elsewhere")
    code = "import os; print([name for name in os.environ if name.startswith(('DBT_', 'PENSTOCK_'))])"
    assert run_command((sys.executable, "-c", code), tmp_path).output == "[]\n"


def test_the_peak_of_memory_is_read_from_proc() -> None:
    assert parse_peak("Name:\tjava\nVmPeak:\t  99 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 7 kB\n") == 2 * 2**20


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_documents_itself_and_its_page_has_its_blocks(name: str) -> None:
    benchmark = load_benchmark(name)
    assert benchmark.__doc__
    assert callable(benchmark.measure)
    for page in benchmark.PAGES:
        text = page.path.read_text()
        assert page.blocks(text)
        assert page.fill(text, page.blocks(text)) == text


def test_options_belong_to_the_benchmark() -> None:
    _, options = parse(["layout", "--trips", "7", "--write-docs"])
    assert (options.trips, options.rounds, options.write_docs) == (7, 5, True)
    _, options = parse(["batch", "--only", "peer,memory"])
    assert options.only == ["peer", "memory"]
    _, options = parse(["rdd"])
    assert not hasattr(options, "write_docs")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "NAME"),
        (["none"], "invalid choice"),
        (["rdd", "--write-docs"], "unrecognized arguments"),
        (["against"], "name a commit, or give --only-ours"),
        (["against", "--only-ours", "--write-docs"], "--write-docs needs a commit"),
        (["against", "345e71b", "--steps", "build,fly"], "unknown: fly; known: build, test, run, month"),
        (["against", "345e71b", "--spark-conf", "a"], "KEY=VALUE"),
        (["batch", "--only", "none"], "unknown: none; known: months"),
        (["batch", "--months", "3"], "6 or more"),
        (["scale", "--months", "13"], "whole years"),
        (["adapter", "--only", "none"], "unknown: none; known: models"),
    ],
)
def test_wrong_options_are_refused(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        parse(arguments)
    assert error.value.code == 2
    assert message in capsys.readouterr().err


def test_a_copy_of_the_project_has_its_own_settings(tmp_path: Path) -> None:
    project = Project(tmp_path / "copy", "3g")
    assert project.settings.server.memory == "3g"
    assert project.settings.server.master == "local[2]"
    for name in ("dbt_project.yml", "selectors.yml", "profiles.yml", "models", "macros", "tests/data"):
        assert (project.folder / name).exists(), name
    assert (project.folder / ".penstock" / "jars").is_symlink()


def test_a_project_of_a_few_files_has_those_alone(tmp_path: Path) -> None:
    project = Project(tmp_path / "few", "2g", {"models/a.sql": "select 1"})
    files = {str(path.relative_to(project.folder)) for path in project.folder.rglob("*") if path.is_file()}
    assert files == {"models/a.sql", "penstock.yml"}


def test_a_project_on_workers_has_a_target_of_its_cluster(tmp_path: Path) -> None:
    project = ScaleProject(tmp_path / "cluster", tmp_path / "lake", "4g", workers=2)
    assert str(project.settings.lake_dir) == str(tmp_path / "lake")
    assert project.settings.server.master.startswith("spark://127.0.0.1:17")
    executors = project.settings.server.executors
    assert executors and (executors.count, executors.cores, executors.memory) == (2, 1, "1500m")
    assert project.settings.server.spark_conf["spark.ui.retainedStages"] == "20000"


def test_the_sample_command_names_datasets_months_and_rows() -> None:
    assert sample_command("2024-01", 5, ["yellow"], "--seed", "2") == (
        *("penstock", "sample", "--dataset", "yellow", "--months", "2024-01", "--rows", "5", "--seed", "2"),
    )
