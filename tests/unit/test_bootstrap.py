"""The environment: what its locks hold, when it is ready, with which installer it is made. Nothing is downloaded."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
LOCK = """\
packaging==26.0 \\
    --hash=sha256:aa
pyspark==4.1.4 \\
    --hash=sha256:bb
setuptools==84.0 \\
    --hash=sha256:cc \\
    --hash=sha256:dd
uv==0.13.9 \\
    --hash=sha256:ee
"""


@pytest.fixture(scope="module")
def tools() -> Iterator[tuple[ModuleType, ModuleType]]:
    """tools/bootstrap.py and tools/progress.py."""
    before = list(sys.path)
    sys.path.insert(0, str(ROOT / "tools"))
    import bootstrap
    import progress

    yield bootstrap, progress
    sys.path[:] = before


def _pins(name: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9\-]+==[^\\\s;]+)", (ROOT / name).read_text(), re.M))


def _needed(*requirements: str) -> set[str]:
    """Names of all packages that some requirements need here."""
    waiting, seen = [Requirement(text) for text in requirements], set[tuple[str, frozenset[str]]]()
    while waiting:
        wanted = waiting.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key not in seen:
            seen.add(key)
            found = [Requirement(text) for text in importlib.metadata.requires(wanted.name) or ()]
            extras = key[1] or {""}
            waiting += [r for r in found if r.marker is None or any(r.marker.evaluate({"extra": e}) for e in extras)]
    return {name for name, _ in seen}


def _group(name: str) -> list[str]:
    """Return a dependency group of pyproject.toml."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    return list(groups[name])


def test_the_locks_agree_and_name_no_index() -> None:
    runtime, development = _pins("requirements.lock"), _pins("requirements-dev.lock")
    assert runtime < development
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text and "index" not in text.split("importlib")[0]
        for block in re.split(r"\n(?=\S)", text):
            assert "--hash=sha256:" in block, block


def test_the_runtime_lock_has_what_running_needs_and_no_tools_of_developers() -> None:
    locked = {pin.split("==")[0] for pin in _pins("requirements.lock")}
    assert _needed("dbt-penstock[ml]", *_group("install")) - {"dbt-penstock"} <= locked
    assert not {"pytest", "mypy", "ruff", "sqlfluff", "duckdb", "deltalake", "playwright", "moto", "s3fs"} & locked


def test_the_build_tools_are_all_that_building_needs(tools: tuple[ModuleType, ModuleType]) -> None:
    """They are installed without other packages, from the lock's own blocks."""
    named = set(tools[0].BUILD_TOOLS)
    assert _needed("hatchling", "editables", "setuptools", "wheel") <= named
    text = (ROOT / "requirements.lock").read_text()
    assert {line.split("==")[0] for line in tools[0].pinned(text, named).splitlines() if "==" in line} == named


def test_what_src_imports_is_declared() -> None:
    """A package that another one happens to bring along may be gone with that one's next version."""
    declared = {canonicalize_name(Requirement(text).name) for text in importlib.metadata.requires("dbt-penstock") or ()}
    distributions = importlib.metadata.packages_distributions()
    own = {"dbt", "penstock", "__future__"} | sys.stdlib_module_names
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for top in {name.split(".")[0] for name in names} - own:
                assert declared & {canonicalize_name(name) for name in distributions[top]}, f"{top} in {path}"


def _checkout(root: Path) -> Path:
    """A folder with the files that an environment depends on."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        (root / name).write_text(LOCK)
    (root / "pyproject.toml").write_text("[project]\n")
    return root


def test_only_the_named_blocks_are_taken(tools: tuple[ModuleType, ModuleType]) -> None:
    expected = (
        "packaging==26.0 \\\n    --hash=sha256:aa\nsetuptools==84.0 \\\n    --hash=sha256:cc \\\n    --hash=sha256:dd\n"
    )
    assert tools[0].pinned(LOCK, ("setuptools", "wheel", "packaging")) == expected


def test_an_environment_for_development_serves_running_too(
    tools: tuple[ModuleType, ModuleType], tmp_path: Path
) -> None:
    bootstrap, _ = tools
    root, stamp = _checkout(tmp_path), tmp_path / "stamp"
    assert not bootstrap.is_ready(root, "runtime", stamp)
    stamp.write_text(json.dumps({"development": bootstrap.digest(root, "development")}))
    assert bootstrap.is_ready(root, "runtime", stamp)
    assert bootstrap.is_ready(root, "development", stamp)
    stamp.write_text(json.dumps({"runtime": bootstrap.digest(root, "runtime")}))
    assert bootstrap.is_ready(root, "runtime", stamp)
    assert not bootstrap.is_ready(root, "development", stamp)
    (root / "requirements.lock").write_text(LOCK + "wheel==0.48 --hash=sha256:ff\n")
    assert not bootstrap.is_ready(root, "runtime", stamp)


@pytest.mark.parametrize("text", ["0123abcd" * 8, "[]", "", '{"other": "x"}'])
def test_a_stamp_of_another_form_is_no_stamp(tools: tuple[ModuleType, ModuleType], tmp_path: Path, text: str) -> None:
    (tmp_path / "stamp").write_text(text)
    assert tools[0].installed(tmp_path / "stamp") == {}


SCRIPT = """\
#!/bin/sh
case "$*" in
  *--version*) echo "uv 0.9.1"; exit 0 ;;
  *config*) echo "global.index-url='PLACE/simple'"; exit 0 ;;
esac
echo "NAME $* index=$UV_DEFAULT_INDEX" >>"LOG"
echo "words of NAME"
exit CODE
"""


def _program(path: Path, log: Path, code: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SCRIPT.replace("NAME", path.name).replace("LOG", str(log)).replace("CODE", str(code)))
    path.chmod(0o755)


@pytest.fixture
def machine(
    tools: tuple[ModuleType, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[ModuleType, Path, Path]:
    """The tool in a checkout of its own, whose .venv and PATH have programs that only write down their words."""
    bootstrap, _ = tools
    (tmp_path / "checkout").mkdir()
    root, log = _checkout(tmp_path / "checkout"), tmp_path / "log"
    monkeypatch.setattr(bootstrap, "ROOT", root)
    monkeypatch.setattr(bootstrap, "VENV", root / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", root / ".venv" / "bin" / "python")
    monkeypatch.delenv("PENSTOCK_NO_UV", raising=False)
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.delenv("UV_INDEX_URL", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    _program(root / ".venv" / "bin" / "python", log)
    return bootstrap, tmp_path / "bin", log


def _install(bootstrap: ModuleType, progress: ModuleType, scratch: Path) -> str:
    with progress.Progress("environment") as shown:
        return str(bootstrap.install("runtime", str(bootstrap.PYTHON), shown, scratch))


def test_uv_on_path_installs_by_hashes_from_pips_index(
    machine: tuple[ModuleType, Path, Path], tools: tuple[ModuleType, ModuleType], tmp_path: Path
) -> None:
    bootstrap, bin_, log = machine
    _program(bin_ / "uv", log)
    assert _install(bootstrap, tools[1], tmp_path) == "uv"
    lines = log.read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["uv"] * 3
    assert "--require-hashes" in lines[0] and "--require-hashes" in lines[2]
    assert lines[2].split(" index=") == [
        f"uv pip install --python {bootstrap.PYTHON} --no-deps --no-build-isolation --require-hashes"
        f" -r {bootstrap.ROOT / 'requirements.lock'}",
        "PLACE/simple",
    ]


def test_without_uv_pip_installs_the_pinned_one(
    machine: tuple[ModuleType, Path, Path], tools: tuple[ModuleType, ModuleType], tmp_path: Path
) -> None:
    """The stand-in for pip makes no uv, so that uv can't begin, and pip installs everything."""
    bootstrap, _, log = machine
    assert _install(bootstrap, tools[1], tmp_path) == "pip"
    lines = log.read_text().splitlines()
    assert lines[0].startswith(f"python -m pip install --require-hashes --no-deps -r {tmp_path / 'uv.txt'}")
    assert (tmp_path / "uv.txt").read_text() == "uv==0.13.9 \\\n    --hash=sha256:ee\n"
    assert len(lines) == 4


def test_a_uv_that_fails_and_a_refused_one_mean_pip(
    machine: tuple[ModuleType, Path, Path],
    tools: tuple[ModuleType, ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bootstrap, bin_, log = machine
    _program(bin_ / "uv", log, code=2)
    assert _install(bootstrap, tools[1], tmp_path) == "pip"
    assert [line.split()[0] for line in log.read_text().splitlines()] == ["uv", "python", "python", "python"]
    told = capsys.readouterr().err
    assert "words of uv" in told and "uv ended with 2" in told
    log.unlink()
    monkeypatch.setenv("PENSTOCK_NO_UV", "1")
    assert _install(bootstrap, tools[1], tmp_path) == "pip"
    lines = log.read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["python"] * 3
    assert "--require-hashes" in lines[0] and "--require-hashes" in lines[2]


def test_a_pip_that_fails_ends_with_what_it_printed(
    machine: tuple[ModuleType, Path, Path],
    tools: tuple[ModuleType, ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bootstrap, _, log = machine
    _program(bootstrap.PYTHON, log, code=1)
    monkeypatch.setenv("PENSTOCK_NO_UV", "1")
    with pytest.raises(bootstrap.BootstrapError, match=r"(?s)words of python.*needed: .*pip ended with 1.*do: "):
        _install(bootstrap, tools[1], tmp_path)


def test_what_an_installer_is_doing_is_read_from_its_lines(tools: tuple[ModuleType, ModuleType]) -> None:
    _, progress = tools
    busy: dict[str, str] = {}
    for line, shown in (
        ("Downloading pyarrow (52.5MiB)\n", ["downloading pyarrow"]),
        ("   Building pyspark==4.1.4\n", ["downloading pyarrow", "building pyspark"]),
        (" Downloaded pyarrow\n", ["building pyspark"]),
        ("      Built pyspark==4.1.4\n", []),
        ("Prepared 90 packages in 48.19s\n", ["installing"]),
        ("  Downloading numpy-2.4.6-cp311-cp311-linux.whl (16.1 MB)\n", ["installing", "downloading numpy"]),
        (" + agate==1.9.1\n", ["installing", "downloading numpy"]),
    ):
        progress.track(line, busy)
        assert list(busy.values()) == shown, line


def test_plain_lines_come_every_two_seconds_and_name_the_step(
    tools: tuple[ModuleType, ModuleType], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, progress = tools
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    monkeypatch.setattr(progress, "TICK", 0.001)
    with progress.Progress("environment") as shown:
        shown.update("one, two, three, four, five")
        text = ""
        while "four" not in text:
            text += capsys.readouterr().out
    assert re.search(r"^environment +0 s  three, four, five and 2 more$", text, re.M)
