"""Addresses of folders: `lake`, `/data/lake`, `s3a://bucket/lake`, `gs://bucket/lake`, `hdfs://node:9000/lake`.

On a disk a folder is a `pathlib.Path`. Elsewhere it is a `UPath`, which has the same words over fsspec
(https://universal-pathlib.readthedocs.io), so that whoever only reads and joins needn't know.
Credentials are never part of it: they come from the environment or the provider's own chain.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from penstock.errors import PenstockError

if TYPE_CHECKING:
    from upath import UPath

    Folder = Path | UPath
else:
    Folder = Path

# By scheme: fsspec's name of the file system, the project's extra that brings it, what it is called.
SCHEMES = {
    "s3a": ("s3", "s3", "S3"),
    "gs": ("gs", "gs", "GCS"),
    "hdfs": ("webhdfs", "", "HDFS"),
}
# Another name of the same, that Spark has no file system for.
ALSO = {"s3": "s3a", "gcs": "gs"}
WEBHDFS_PORT = 9870


def scheme(address: str) -> str:
    """`s3a`, `gs`, `hdfs`; empty for a folder of a disk.

    Raises:
        PenstockError: a scheme that isn't one of them.
    """
    name, separator, _ = address.partition("://")
    if not separator or name == "file":
        return ""
    # A secret may hold a slash, so that a part of it looks like a path.
    host = urlsplit(address).netloc
    if "@" in host or (":" in host and "@" in address and not re.fullmatch(r"[^:]+:\d+", host)):
        needed = f"{name}:// with the name of a bucket or host alone; it isn't repeated here"
        do = "take them out, and give them by the environment or the provider's own chain"
        raise PenstockError(needed, "an address that seems to hold a user or a secret", do)
    if name not in SCHEMES:
        known = ", ".join(f"{known}://" for known in SCHEMES)
        do = f"write {ALSO[name]}://, as Spark names it" if name in ALSO else f"use a folder or one of {known}"
        raise PenstockError("a folder, or an address of a store that is known", f"`{address}`", do)
    if not host:
        raise PenstockError(f"{name}://{'HOST:PORT' if name == 'hdfs' else 'BUCKET'}/folder", f"`{address}`", "add it")
    return name


def local(root: Path, address: str) -> Path:
    """A folder of a disk, relative ones from `root`."""
    return (root / address.removeprefix("file://")).resolve()


def uri(root: Path, address: str) -> str:
    """The address as Spark takes it, without a slash at its end."""
    return address.rstrip("/") if scheme(address) else f"file://{local(root, address).as_posix()}"


def folder(root: Path, address: str, endpoint: str | None, region: str | None, anonymous: bool) -> Folder:
    """The folder at an address.

    Args:
        root: where relative folders start.
        endpoint: of the object store, when it isn't the provider's own; of HDFS, its WebHDFS address
            (default: the address's host and port 9870).
        region: of S3.
        anonymous: ask without credentials.

    Raises:
        PenstockError: an unknown scheme, or the packages for it aren't there.
    """
    kind = scheme(address)
    if not kind:
        return local(root, address)
    from upath import UPath
    from upath.implementations.hdfs import HDFSPath
    from upath.registry import register_implementation

    register_implementation("webhdfs", HDFSPath, clobber=True)
    protocol, extra, title = SCHEMES[kind]
    bucket, path = urlsplit(address).netloc, urlsplit(address).path.strip("/")
    try:
        options = _webhdfs(address, endpoint) if kind == "hdfs" else _options(kind, endpoint, region, anonymous)
        opened: UPath = UPath(f"{protocol}://{bucket}/{path}", **options)
        # The file system's package is imported when it is first asked for.
        _ = opened.fs
        return opened
    except ImportError as error:
        do = f"pip install 'dbt-penstock[{extra}]'"
        raise PenstockError(f"the Python package for {title}", str(error), do) from None


def _options(kind: str, endpoint: str | None, region: str | None, anonymous: bool) -> dict[str, Any]:
    """What fsspec's file system of an object store is opened with; listings are never taken from memory."""
    if kind == "gs":
        # gcsfs would ask each bucket's kind over gRPC first, which an endpoint of one's own doesn't speak.
        os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        at = {"endpoint_url": endpoint} if endpoint else {}
        return {**at, **({"token": "anon"} if anonymous else {}), "use_listings_cache": False}
    client = {"endpoint_url": endpoint, "region_name": region}
    kept = {key: value for key, value in client.items() if value}
    return {"anon": anonymous, "client_kwargs": kept, "use_listings_cache": False}


def _webhdfs(address: str, endpoint: str | None) -> dict[str, Any]:
    at = urlsplit(endpoint or f"http://{urlsplit(address).hostname}:{WEBHDFS_PORT}")
    if at.scheme not in ("http", "https") or not at.hostname:
        raise PenstockError("store.endpoint of HDFS as http://HOST:PORT (WebHDFS)", f"`{endpoint}`", "correct it")
    user = os.environ.get("HADOOP_USER_NAME")
    named = {"user": user} if user else {}
    return {"host": at.hostname, "port": at.port or WEBHDFS_PORT, "use_https": at.scheme == "https", **named}
