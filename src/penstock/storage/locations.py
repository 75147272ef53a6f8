"""Locations of folders, on a local disk or in a remote store.

Examples of addresses: `lake`, `/data/lake`, `s3a://bucket/lake`, `gs://bucket/lake`, `hdfs://node:9000/lake`.
A local location is a `pathlib.Path`. A remote location is a `UPath`, which implements the methods of `Path` with
fsspec (https://universal-pathlib.readthedocs.io). Code that only reads and joins paths works with both.
An address never contains credentials. Credentials come from the environment or from the provider's credential chain.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from penstock.errors import PenstockError

if TYPE_CHECKING:
    from upath import UPath

    Location = Path | UPath
else:
    Location = Path


class Scheme(NamedTuple):
    """A kind of remote location.

    Attributes:
        protocol: fsspec's name of the file system.
        extra: the extra of `dbt-penstock` that installs the file system's package; empty if no extra is needed.
        title: the store's name in messages.
    """

    protocol: str
    extra: str
    title: str


SCHEMES = {
    "s3a": Scheme("s3", "s3", "S3"),
    "gs": Scheme("gs", "gs", "GCS"),
    "hdfs": Scheme("webhdfs", "", "HDFS"),
}
# Common spellings that Spark does not know, and the scheme to use instead.
ALIASES = {"s3": "s3a", "gcs": "gs"}
WEBHDFS_PORT = 9870


def scheme(address: str) -> str:
    """Return the scheme of an address: `s3a`, `gs` or `hdfs`, or an empty string for a local folder.

    Raises:
        PenstockError: the scheme is unknown, the bucket or host is missing, or the address contains credentials.
    """
    name, separator, _ = address.partition("://")
    if not separator or name == "file":
        return ""
    # A secret may contain a slash. urlsplit then puts the rest of the secret, and the "@", into the path.
    host = urlsplit(address).netloc
    if "@" in host or (":" in host and "@" in address and not re.fullmatch(r"[^:]+:\d+", host)):
        needed = f"{name}:// with the name of a bucket or host alone (the address is not repeated here)"
        do = "remove them, and set them in the environment or the provider's default chain"
        raise PenstockError(needed, "an address that seems to hold a user or a secret", do)
    if name not in SCHEMES:
        known = ", ".join(f"{known}://" for known in SCHEMES)
        do = f"write {ALIASES[name]}://, as Spark names it" if name in ALIASES else f"use a folder or one of {known}"
        raise PenstockError("a folder, or an address of a known store", f"`{address}`", do)
    if not host:
        raise PenstockError(f"{name}://{'HOST:PORT' if name == 'hdfs' else 'BUCKET'}/folder", f"`{address}`", "add it")
    return name


def local_folder(root: Path, address: str) -> Path:
    """Return a local folder as an absolute path. A relative address is relative to `root`."""
    return (root / address.removeprefix("file://")).resolve()


def uri(root: Path, address: str) -> str:
    """Return an address as a URI for Spark, without a trailing slash."""
    return address.rstrip("/") if scheme(address) else f"file://{local_folder(root, address).as_posix()}"


def open_location(root: Path, address: str, endpoint: str | None, region: str | None, anonymous: bool) -> Location:
    """Return the folder at an address.

    Args:
        root: the base folder of relative addresses.
        address: a local folder, or an address in a store.
        endpoint: for S3 and GCS, the URL of an object store other than the provider's. For HDFS, the WebHDFS URL;
            by default port 9870 on the host in `address`.
        region: the S3 region.
        anonymous: send requests without credentials.

    Raises:
        PenstockError: the scheme is unknown, or its Python package is not installed.
    """
    kind = scheme(address)
    if not kind:
        return local_folder(root, address)
    from upath import UPath
    from upath.implementations.hdfs import HDFSPath
    from upath.registry import register_implementation

    register_implementation("webhdfs", HDFSPath, clobber=True)
    protocol, extra, title = SCHEMES[kind]
    bucket, path = urlsplit(address).netloc, urlsplit(address).path.strip("/")
    try:
        if kind == "hdfs":
            options = _webhdfs_options(address, endpoint)
        else:
            options = _object_store_options(kind, endpoint, region, anonymous)
        location: UPath = UPath(f"{protocol}://{bucket}/{path}", **options)
        # fsspec imports the file system's package on first access. Access it now, so that a missing package fails here.
        _ = location.fs
        return location
    except ImportError as error:
        do = f"pip install 'dbt-penstock[{extra}]'"
        needed = f"the Python package for {title}"
        raise PenstockError(needed, str(error), do, entry="the-store-cant-be-read-by-python") from None


def _object_store_options(kind: str, endpoint: str | None, region: str | None, anonymous: bool) -> dict[str, Any]:
    """Return the options of fsspec's S3 or GCS file system. The options disable the cache of folder listings."""
    if kind == "gs":
        # By default, gcsfs requests each bucket's type over gRPC, which endpoints other than Google's do not support.
        os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        endpoint_option = {"endpoint_url": endpoint} if endpoint else {}
        return {**endpoint_option, **({"token": "anon"} if anonymous else {}), "use_listings_cache": False}
    client = {"endpoint_url": endpoint, "region_name": region}
    client = {key: value for key, value in client.items() if value}
    return {"anon": anonymous, "client_kwargs": client, "use_listings_cache": False}


def _webhdfs_options(address: str, endpoint: str | None) -> dict[str, Any]:
    parts = urlsplit(endpoint or f"http://{urlsplit(address).hostname}:{WEBHDFS_PORT}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PenstockError("store.endpoint of HDFS as http://HOST:PORT (WebHDFS)", f"`{endpoint}`", "correct it")
    user = os.environ.get("HADOOP_USER_NAME")
    user_option = {"user": user} if user else {}
    port = parts.port or WEBHDFS_PORT
    return {"host": parts.hostname, "port": port, "use_https": parts.scheme == "https", **user_option}
