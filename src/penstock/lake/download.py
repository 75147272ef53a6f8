"""Download a remote file by range requests. Retry after errors, and resume after the process was killed.

A download consists of two local files: `<key>.part` contains the bytes received so far, and `<key>.json` contains the
size and etag of the remote file. If the server still reports the same size and etag, a later run continues at the end
of the `.part` file. If the server ignores range requests, each run downloads the whole file.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from filelock import FileLock
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from penstock.errors import PenstockError

CHUNK = 8 * 1024 * 1024
# Number of attempts to read a range, and number of attempts to request a file's metadata. The second number is smaller,
# so that a command fails soon if the machine has no network.
ATTEMPTS, DESCRIBE_ATTEMPTS = 6, 4
# Limits of the random wait between attempts, in seconds. The wait before the second attempt is at most FIRST_WAIT. The
# limit doubles before each later attempt, up to LONGEST_WAIT.
FIRST_WAIT, LONGEST_WAIT = 0.5, 20.0

# Called with (number of bytes downloaded so far, size of the file or None if it is unknown).
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class RemoteFile:
    """A file on an fsspec file system.

    Attributes:
        fs: the fsspec file system.
        path: path of the file on the file system.
        address: URL or path of the file, as users type it and as messages show it.
    """

    fs: Any
    path: str
    address: str

    @property
    def is_http(self) -> bool:
        """Return whether the file is read over HTTP."""
        return "http" in _protocols(self.fs)


class RangeIgnored(Exception):
    """The server ignored a Range header and sent the whole file."""


def _protocols(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def _cause(error: BaseException) -> BaseException:
    """Return the original error. fsspec raises a FileNotFoundError whose cause is the original HTTP error."""
    return error.__cause__ if isinstance(error, FileNotFoundError) and error.__cause__ else error


def is_missing(error: BaseException) -> bool:
    """Return whether an error means that the file doesn't exist.

    The status 403 counts as such an error, because S3 and CloudFront answer 403 for a missing file.
    """
    cause = _cause(error)
    if isinstance(cause, aiohttp.ClientResponseError):
        return cause.status in (403, 404, 410)
    return isinstance(cause, FileNotFoundError)


def is_transient(error: BaseException) -> bool:
    """Return whether an error is temporary, so that a retry may succeed."""
    cause = _cause(error)
    if isinstance(cause, aiohttp.ClientResponseError):
        return cause.status >= 500 or cause.status in (408, 425, 429)
    if isinstance(cause, (FileNotFoundError, PermissionError, RangeIgnored)) or is_disk_error(cause):
        return False
    return isinstance(cause, (aiohttp.ClientError, asyncio.TimeoutError, TimeoutError, OSError))


def is_disk_error(error: BaseException) -> bool:
    """Return whether this machine's disk caused the error: it is full, over quota, or read-only."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def retrying(attempts: int) -> Retrying:
    """Return the retry policy: only transient errors are retried, with exponential back-off and jitter."""
    return Retrying(
        retry=retry_if_exception(is_transient),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT),
        reraise=True,
    )


def unreachable_error(address: str, error: BaseException) -> PenstockError:
    """Return the error for a server that doesn't answer, or answers with an error."""
    cause = _cause(error)
    text = " ".join(str(cause).split()) or type(cause).__name__
    return PenstockError(f"an answer from {address}", text, "check the address and the network, then run it again")


def describe(remote: RemoteFile) -> dict[str, Any] | None:
    """Return the address, size and etag of a remote file, or None if the file doesn't exist.

    Raises:
        PenstockError: the server can't be reached.
    """
    try:
        for attempt in retrying(DESCRIBE_ATTEMPTS):
            with attempt:
                remote.fs.invalidate_cache()
                info = remote.fs.info(remote.path)
                etag = next((info[k] for k in ("ETag", "etag", "Last-Modified", "LastModified") if info.get(k)), "")
                return {"address": remote.address, "size": info.get("size"), "etag": str(etag)}
    except Exception as error:
        if is_missing(error):
            return None
        raise unreachable_error(remote.address, error) from None
    raise AssertionError("retrying ends by returning or raising")


def _read_range(remote: RemoteFile, start: int, end: int) -> bytes:
    """Return the bytes [start, end) of the file."""
    if not remote.is_http:
        return bytes(remote.fs.cat_file(remote.path, start=start, end=end))
    headers = {"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"}
    with remote.fs.open(remote.path, block_size=0, size=1, headers=headers) as stream:
        if stream.r.status != 206:
            raise RangeIgnored
        data = b""
        while received := stream.read(1 << 20):
            data += received
    if len(data) != end - start:
        raise OSError(f"the connection ended after {len(data):,} of {end - start:,} bytes")
    return data


def _download_from_start(remote: RemoteFile, part: Path, size: int | None, progress: Progress) -> None:
    """Download the whole file in one request."""
    headers = {"Accept-Encoding": "identity"}
    with remote.fs.open(remote.path, block_size=0, size=1, headers=headers) as stream, part.open("wb") as out:
        while received := stream.read(1 << 20):
            out.write(received)
            progress(out.tell(), size)
    if size is not None and part.stat().st_size != size:
        raise OSError(f"the connection ended after {part.stat().st_size:,} of {size:,} bytes")


def _complete(remote: RemoteFile, part: Path, size: int | None, progress: Progress) -> None:
    """Download the rest of the file, starting at the end of `part`."""
    if size is not None:
        try:
            with part.open("ab") as out:
                while out.tell() < size:
                    start = out.tell()
                    for attempt in retrying(ATTEMPTS):
                        with attempt:
                            out.write(_read_range(remote, start, min(size, start + CHUNK)))
                            out.flush()
                    progress(out.tell(), size)
                os.fsync(out.fileno())
            return
        except RangeIgnored:
            pass
    for attempt in retrying(ATTEMPTS):
        with attempt:
            _download_from_start(remote, part, size, progress)


def _part_path(remote: RemoteFile, folder: Path) -> Path:
    return folder / f"{hashlib.sha256(remote.address.encode()).hexdigest()[:24]}.part"


def download_lock(remote: RemoteFile, folder: Path) -> FileLock:
    """Return the lock of a file's download. Hold the lock while you read the file.

    The thread that holds the lock may acquire it again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(_part_path(remote, folder).with_suffix(".lock"), is_singleton=True)


def download(remote: RemoteFile, folder: Path, progress: Progress) -> Path:
    """Download a file into `folder` and return its local path.

    The caller removes the file with `delete_download` when it is no longer needed.

    Raises:
        PenstockError: the file doesn't exist or changed during the download, or the server can't be reached.
        OSError: this machine's disk is full or can't be written.
    """
    part = _part_path(remote, folder)
    info_file = part.with_suffix(".json")
    with download_lock(remote, folder):
        info = describe(remote)
        if info is None:
            raise PenstockError(f"the file {remote.address}", "no such file there", "check the month and the address")
        earlier = json.loads(info_file.read_text()) if info_file.exists() else None
        same = earlier == info and (info["etag"] or info["size"])
        if not same or (part.exists() and info["size"] is not None and part.stat().st_size > info["size"]):
            part.unlink(missing_ok=True)
        info_file.write_text(json.dumps(info))
        try:
            _complete(remote, part, info["size"], progress)
        except Exception as error:
            if is_disk_error(error):
                raise
            raise unreachable_error(remote.address, error) from None
        if describe(remote) != info:
            delete_download(part)
            raise PenstockError(
                f"{remote.address} unchanged while it is read", "another size or etag at the end", "run it again"
            )
    return part


def delete_download(part: Path) -> None:
    """Delete a download and its metadata file."""
    for suffix in (".part", ".json"):
        part.with_suffix(suffix).unlink(missing_ok=True)
