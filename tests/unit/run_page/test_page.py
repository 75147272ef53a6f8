"""The page of a command as a file: its data, its errors, the list of commands, the live server."""

from __future__ import annotations

import json
import re
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.report.run_page import html, page_data, run_files, vega_bundle
from penstock.report.run_page.live_server import LiveServer
from penstock.report.run_page.page_data import Extras
from penstock.runs import run_store
from tests.support import run_records
from tests.support.run_records import HOSTILE, PICKUPS, SEED, TRIPS, TRIPS_TEST

DATA = re.compile(r'<script nonce="[\w-]+" type="application/json" id="data" data-live="">(.*?)</script>', re.DOTALL)


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A target folder with two records, and a short text instead of the script of the charts."""
    monkeypatch.setattr(vega_bundle, "script", lambda: "window.vegaEmbed = () => {};")
    return run_records.write_target(tmp_path / "target")


def collect(target: Path, run_id: str = "second", extras: Extras | None = None) -> dict[str, Any]:
    return page_data.collect(Settings(root=target.parent), target, run_files.find(target, run_id), extras or Extras())


def test_the_data_of_a_node(target: Path) -> None:
    data = collect(target)
    nodes = {node["id"]: node for node in data["nodes"]}
    pickups = nodes[PICKUPS]
    assert data["run"]["result"] == "error"
    assert data["critical"] == [TRIPS, TRIPS_TEST, PICKUPS]
    assert (pickups["compile"], pickups["execution"], pickups["start"], pickups["end"]) == (0.5, 9.5, 7, 17)
    assert pickups["waiting"] == pytest.approx(9.5 - pickups["spark_seconds"])
    assert pickups["rows_out"] == 1048
    assert pickups["plan"]["svg"].startswith("<svg")
    assert [run["run_id"] for run in pickups["history"]] == ["first", "second"]
    assert pickups["before"]["code_changed"] and pickups["before"]["plan"] == []
    assert nodes[TRIPS]["tests"] == [TRIPS_TEST] and nodes[TRIPS_TEST]["tested"] == [TRIPS]
    assert nodes[TRIPS_TEST]["failures"] == 3
    assert "plan" not in nodes[SEED], "a node without a plan has none on the page"


def test_a_run_is_compared_with_the_newest_that_has_a_plan(target: Path) -> None:
    run_store.write(target, run_records.build("unchanged", run_records.START - timedelta(hours=1)))
    nodes = {node["id"]: node for node in collect(target)["nodes"]}
    assert nodes[PICKUPS]["before"]["run"] == "first"
    assert nodes[TRIPS]["before"]["run"] == "unchanged", "neither run has a plan of this node"


def test_no_text_of_the_project_can_end_the_script_element(target: Path) -> None:
    text = html.page(collect(target))
    assert HOSTILE not in text and "<img src=x" not in text
    matched = DATA.search(text)
    assert matched
    data = json.loads(matched[1])
    assert HOSTILE in data["run"]["arguments"]
    assert HOSTILE in next(node for node in data["nodes"] if node["id"] == PICKUPS)["columns"]["zone_id"]
    assert text.count("</script>") == 3


def test_the_page_may_load_nothing(target: Path) -> None:
    text = html.page(collect(target))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy and "default-src 'none'" in policy[1] and "unsafe-eval" not in policy[1]
    assert not re.search(r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["']?\w+:""", text)


def test_column_lineage_is_named_for_readers(target: Path) -> None:
    lineage = {PICKUPS: {"zone_id": [("source.shop.raw.zones", "id", "direct")]}}
    data = collect(target, extras=Extras(lineage=lineage))
    assert data["lineage"][PICKUPS]["zone_id"] == [("source.shop.raw.zones", "id", "direct")]
    assert data["names"] == {"source.shop.raw.zones": "raw.zones"}


def test_the_files_are_private_and_the_list_links_them(target: Path) -> None:
    path = run_files.write(target, "second", html.page(collect(target)), None)
    listed = target / "runs" / "index.html"
    assert path == target / "runs" / "second" / "index.html"
    assert path.stat().st_mode & 0o077 == listed.stat().st_mode & 0o077 == 0
    assert 'href="second/index.html"' in listed.read_text()
    assert "penstock report run --run first" in listed.read_text()
    assert HOSTILE not in listed.read_text()


def test_out_that_cannot_be_written_is_an_error(target: Path) -> None:
    with pytest.raises(PenstockError) as caught:
        run_files.write(target, "second", "page", target / "manifest.json" / "page.html")
    assert caught.value.do == "name another file with `--out`"
    assert not (target / "runs" / "index.html").exists()


def test_no_record_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PenstockError) as caught:
        run_files.find(tmp_path, None)
    assert caught.value.found.startswith("no earlier run in ")


def test_an_unknown_run_names_the_newest(target: Path) -> None:
    with pytest.raises(PenstockError) as caught:
        run_files.find(target, "third")
    assert caught.value.found == "no kept run `third`"
    assert re.search(r"the newest are second .*, first ", caught.value.do)


def test_the_start_of_an_id_is_enough_if_it_is_unique(target: Path) -> None:
    assert run_files.find(target, "seco").run_id == "second"
    run_store.write(target, run_records.build("second2"))
    assert run_files.find(target, "second").run_id == "second"
    with pytest.raises(PenstockError, match="2 kept runs begin with `seco`"):
        run_files.find(target, "seco")


def test_a_killed_command_was_interrupted(target: Path) -> None:
    killed = run_records.build(ended="", success=None, process=2**22 + 1, process_started=1.0)
    assert page_data.result(killed) == "interrupted"
    assert page_data.seconds(killed) == 17


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(PenstockError) as caught:
        vega_bundle.script()
    assert caught.value.do == "pip install 'dbt-penstock[report]'"


def test_the_script_is_bundled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import vl_convert

    calls: list[int] = []

    def bundle(snippet: str) -> str:
        calls.append(1)
        return "const text = '</script>';"

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(vl_convert, "javascript_bundle", bundle)
    assert vega_bundle.script() == vega_bundle.script() == "const text = '<\\/script>';"
    assert calls == [1]


@contextmanager
def serving() -> Iterator[LiveServer]:
    server = LiveServer(lambda: "the page", lambda: '{"a":1}')
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def _status(address: str, method: str = "GET") -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method=method)) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_live_server_answers_only_get_requests_with_the_secret() -> None:
    with serving() as server:
        assert server.server_address[0] == "127.0.0.1"
        with urllib.request.urlopen(server.address) as response:
            assert response.read() == b"the page"
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers["Referrer-Policy"] == "no-referrer"
        with urllib.request.urlopen(f"{server.address}data.json") as response:
            assert json.load(response) == {"a": 1}
        root = f"http://127.0.0.1:{server.server_port}"
        wrong = "x" * len(server.secret)
        for path in ("/", "/data.json", f"/{wrong}/", f"/{wrong}/data.json", f"/{server.secret}/run.json"):
            assert _status(root + path) == 404, path
        for method in ("POST", "PUT", "DELETE", "HEAD"):
            assert _status(server.address, method) == 501, method
