"""Sources: HTTP with ranges, dropped connections and killed downloads; S3; missing packages."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from penstock.errors import PenstockError
from penstock.lake import download as downloads
from penstock.lake.source_files import fetch, resolve_address, source_file_at

from .conftest import GreenFile, Project, sha256_of


class Site:
    """The files and the faults of an HTTP server, and the ranges that were requested from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ranges = True
        self.drops = 0
        self.errors = 0
        self.etag = '"1"'
        self.requested_ranges: list[str] = []
        self.address = ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, site: Site, *rest: Any) -> None:
        self.site = site
        super().__init__(*rest)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        site = self.site
        path = site.folder / self.path.lstrip("/").split("?")[0]
        if body and site.errors:
            site.errors -= 1
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if not path.is_file():
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data, start = path.read_bytes(), 0
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if body:
            site.requested_ranges.append(self.headers.get("Range", ""))
        if wanted and site.ranges:
            start = int(wanted[1])
            end = int(wanted[2]) + 1 if wanted[2] else len(data)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{min(end, len(data)) - 1}/{len(data)}")
            data = data[start:end]
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", site.etag)
        self.end_headers()
        if not body:
            return
        if site.drops:
            site.drops -= 1
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        self.wfile.write(data)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(downloads, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(downloads, "CHUNK", 4000)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "files").mkdir(exist_ok=True)
    served = Site(tmp_path / "files")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, served))
    served.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield served
    server.shutdown()
    server.server_close()


def test_a_month_lands_over_http(project: Project, green_file: GreenFile, site: Site) -> None:
    size = green_file(rows=500).stat().st_size
    answer = project.penstock("land", "green", "2021-01..2021-02", "--from", site.address)
    assert answer.code == 1
    assert "requested: green_tripdata_2021-02.parquet, green_tripdata_2021-02.csv" in answer.text
    (entry,) = project.manifest.live().values()
    assert (entry.rows, entry.source) == (500, f"{site.address}/green_tripdata_2021-01.parquet")
    assert len(site.requested_ranges) == -(-size // 4000) > 1
    assert [p.suffix for p in (project.lake / ".staging" / "downloads").iterdir() if p.suffix != ".lock"] == []


def test_published_addresses_are_the_default(project: Project, green_file: GreenFile, site: Site) -> None:
    green_file()
    path = project.root / "lake.yml"
    path.write_text(
        re.sub(r"published: .*green.*|published: \S+", f"published: {site.address}/{{file_name}}", path.read_text())
    )
    assert project.penstock("land", "green", "2021-01").code == 0
    assert project.rows("green", "2021-01").num_rows == 3


def test_dropped_connections_and_server_errors_are_retried(project: Project, green_file: GreenFile, site: Site) -> None:
    green_file(rows=500)
    site.drops, site.errors = 2, 2
    assert project.penstock("land", "green", "2021-01", "--from", site.address).code == 0
    assert project.rows("green", "2021-01").num_rows == 500


def test_a_server_without_ranges(project: Project, green_file: GreenFile, site: Site) -> None:
    green_file(rows=500)
    site.ranges, site.drops = False, 2
    assert project.penstock("land", "green", "2021-01", "--from", site.address).code == 0
    assert project.rows("green", "2021-01").num_rows == 500


def leave_part(site: Site, folder: Path, path: Path, size: int) -> None:
    """Leave the files of a download that was killed after `size` bytes."""
    remote = source_file_at(f"{site.address}/{path.name}").remote
    folder.mkdir()
    part = downloads.download(remote, folder, lambda done, total: None)
    part.write_bytes(path.read_bytes()[:size])
    site.requested_ranges.clear()


def test_a_killed_download_is_resumed(tmp_path: Path, green_file: GreenFile, site: Site) -> None:
    path = green_file(rows=500)
    leave_part(site, tmp_path / "d", path, 5000)
    with fetch(source_file_at(f"{site.address}/{path.name}"), tmp_path / "d", lambda done, total: None) as file:
        assert file.sha256 == sha256_of(path)
    assert site.requested_ranges[0].startswith("bytes=5000-")


def test_a_changed_file_on_the_server_is_downloaded_from_its_start(
    tmp_path: Path, green_file: GreenFile, site: Site
) -> None:
    path = green_file(rows=500)
    leave_part(site, tmp_path / "d", path, 5000)
    site.etag = '"2"'
    with fetch(source_file_at(f"{site.address}/{path.name}"), tmp_path / "d", lambda done, total: None) as file:
        assert file.sha256 == sha256_of(path)
    assert site.requested_ranges[0] == "bytes=0-3999"


def test_a_server_that_stays_down(project: Project, green_file: GreenFile, site: Site) -> None:
    green_file(rows=500)
    site.errors = 1000
    answer = project.penstock("land", "green", "2021-01", "--from", site.address)
    assert answer.code == 1
    assert "503" in answer.text
    assert project.manifest.version() == 0


def test_an_unreachable_server(project: Project, site: Site) -> None:
    answer = project.penstock("land", "green", "2021-01", "--from", "http://127.0.0.1:9")
    assert answer.code == 1
    assert "an answer from http://127.0.0.1:9/green_tripdata_2021-01.parquet" in answer.text


def test_a_broken_download_is_refused_and_deleted(project: Project, site: Site) -> None:
    (site.folder / "green_tripdata_2021-01.parquet").write_text("<html>gone</html>")
    answer = project.penstock("land", "green", "2021-01", "--from", site.address)
    assert "a web page" in answer.text
    assert [p.suffix for p in (project.lake / ".staging" / "downloads").iterdir() if p.suffix != ".lock"] == []


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    for key, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1", "no_proxy": host,
    }.items():  # fmt: skip
        monkeypatch.setenv(key, value)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    fs = s3fs.S3FileSystem()
    fs.mkdir("trips")
    yield fs
    server.stop()
    s3fs.S3FileSystem.clear_instance_cache()


def test_s3_is_listed_and_landed(project: Project, green_file: GreenFile, bucket: Any) -> None:
    for month in ("2021-01", "2021-02"):
        bucket.put_file(str(green_file(month, rows=500)), f"trips/raw/green_tripdata_{month}.parquet")
    answer = project.penstock("land", "green", "all", "--from", "s3://trips/raw")
    assert answer.code == 0
    assert sorted(e.source for e in project.manifest.live().values()) == [
        "s3://trips/raw/green_tripdata_2021-01.parquet",
        "s3://trips/raw/green_tripdata_2021-02.parquet",
    ]
    one = project.penstock("land", "green", "--file", "s3://trips/raw/green_tripdata_2021-01.parquet")
    assert (one.code, "unchanged" in one.text) == (0, True)
    missing = project.penstock("land", "green", "2021-03", "--from", "s3://trips/raw")
    assert "months there: 2021-01..2021-02" in missing.text


@pytest.mark.parametrize(("address", "package"), [("s3://b/k", "s3fs"), ("gs://b/k", "gcsfs")])
def test_the_error_for_a_missing_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, address: str, package: str
) -> None:
    registered = sys.modules["fsspec.registry"].__dict__["_registry"]

    for name in [n for n in sys.modules if n.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    for protocol in ("s3", "gs"):
        monkeypatch.delitem(registered, protocol, raising=False)
    with pytest.raises(PenstockError) as caught:
        resolve_address(address)
    assert caught.value.do == f"pip install 'dbt-penstock[{address[:2]}]'"


def test_the_metadata_file_of_a_download(tmp_path: Path, green_file: GreenFile, site: Site) -> None:
    path = green_file(rows=500)
    part = downloads.download(
        source_file_at(f"{site.address}/{path.name}").remote, tmp_path / "d", lambda done, total: None
    )
    metadata = json.loads(part.with_suffix(".json").read_text())
    assert metadata == {"address": f"{site.address}/{path.name}", "size": path.stat().st_size, "etag": '"1"'}
