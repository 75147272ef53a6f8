"""Fetching a remote file in ranged chunks: retried, resumed after a kill, whole or not at all.

A download is two files, `<key>.part` and `<key>.json` (the size and etag that the part belongs to).
A later run with the same answer from the server goes on where the part ends. A server that ignores
ranges is read from the start each time.
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
# Tries for each chunk; fewer to learn whether a file is there, so that being offline is said soon.
ATTEMPTS, ASKING_ATTEMPTS = 6, 4
# Seconds: the first wait is up to FIRST_WAIT, doubled each time, never above LONGEST_WAIT.
FIRST_WAIT, LONGEST_WAIT = 0.5, 20.0

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Remote:
    """A file of an fsspec file system; `address` is what a person would type."""

    fs: Any
    path: str
    address: str

    @property
    def is_http(self) -> bool:
        """Whether chunks are asked for by HTTP's own Range header."""
        return "http" in _protocols(self.fs)


class Restarted(Exception):
    """The server sent the whole file where a range was asked for, or another file than before."""


def _protocols(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def _cause(error: BaseException) -> BaseException:
    """The error itself; fsspec puts a FileNotFoundError before every HTTP error."""
    return error.__cause__ if isinstance(error, FileNotFoundError) and error.__cause__ else error


def missing(error: BaseException) -> bool:
    """Whether an error says that there is no such file (S3 and CloudFront say 403 for that)."""
    cause = _cause(error)
    if isinstance(cause, aiohttp.ClientResponseError):
        return cause.status in (403, 404, 410)
    return isinstance(cause, FileNotFoundError)


def transient(error: BaseException) -> bool:
    """Whether trying again may help."""
    cause = _cause(error)
    if isinstance(cause, aiohttp.ClientResponseError):
        return cause.status >= 500 or cause.status in (408, 425, 429)
    if isinstance(cause, (FileNotFoundError, PermissionError, Restarted)) or no_room(cause):
        return False
    return isinstance(cause, (aiohttp.ClientError, asyncio.TimeoutError, TimeoutError, OSError))


def no_room(error: BaseException) -> bool:
    """Whether it is this machine's disk that refused, and no server."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def retrying(attempts: int) -> Retrying:
    """The one retry policy: exponential back-off with jitter for transient errors, others at once."""
    return Retrying(
        retry=retry_if_exception(transient),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT),
        reraise=True,
    )


def unreachable(address: str, error: BaseException) -> PenstockError:
    """The message for a server that doesn't answer, or answers with an error."""
    cause = _cause(error)
    text = " ".join(str(cause).split()) or type(cause).__name__
    return PenstockError(f"an answer from {address}", text, "check the address and the network, then run it again")


def describe(remote: Remote) -> dict[str, Any] | None:
    """Size and etag of a remote file; None when there is no such file.

    Raises:
        PenstockError: the server can't be reached.
    """
    try:
        for attempt in retrying(ASKING_ATTEMPTS):
            with attempt:
                remote.fs.invalidate_cache()
                info = remote.fs.info(remote.path)
                etag = next((info[k] for k in ("ETag", "etag", "Last-Modified", "LastModified") if info.get(k)), "")
                return {"address": remote.address, "size": info.get("size"), "etag": str(etag)}
    except Exception as error:
        if missing(error):
            return None
        raise unreachable(remote.address, error) from None
    raise AssertionError("retrying ends by returning or raising")


def _read_chunk(remote: Remote, start: int, end: int | None) -> bytes:
    """Bytes [start, end) of the file; all of them when `end` is None and `start` 0."""
    if not remote.is_http:
        return bytes(remote.fs.cat_file(remote.path, start=start, end=end))
    span = f"bytes={start}-{'' if end is None else end - 1}"
    headers = {"Range": span, "Accept-Encoding": "identity"}
    with remote.fs.open(remote.path, block_size=0, size=1, headers=headers) as stream:
        if stream.r.status != 206:
            raise Restarted
        data = b""
        while piece := stream.read(1 << 20):
            data += piece
    if end is not None and len(data) != end - start:
        raise OSError(f"the connection ended after {len(data):,} of {end - start:,} bytes")
    return data


def _stream_whole(remote: Remote, part: Path, size: int | None, progress: Progress) -> None:
    """Write the file from its first byte in one request."""
    headers = {"Accept-Encoding": "identity"}
    with remote.fs.open(remote.path, block_size=0, size=1, headers=headers) as stream, part.open("wb") as out:
        while piece := stream.read(1 << 20):
            out.write(piece)
            progress(out.tell(), size)
    if size is not None and part.stat().st_size != size:
        raise OSError(f"the connection ended after {part.stat().st_size:,} of {size:,} bytes")


def _fill(remote: Remote, part: Path, size: int | None, progress: Progress) -> None:
    """Bring `part` to the whole file, from where it ends."""
    if size is not None:
        try:
            with part.open("ab") as out:
                while out.tell() < size:
                    start = out.tell()
                    for attempt in retrying(ATTEMPTS):
                        with attempt:
                            out.write(_read_chunk(remote, start, min(size, start + CHUNK)))
                            out.flush()
                    progress(out.tell(), size)
                os.fsync(out.fileno())
            return
        except Restarted:
            pass
    for attempt in retrying(ATTEMPTS):
        with attempt:
            _stream_whole(remote, part, size, progress)


def _part(remote: Remote, folder: Path) -> Path:
    return folder / f"{hashlib.sha256(remote.address.encode()).hexdigest()[:24]}.part"


def held(remote: Remote, folder: Path) -> FileLock:
    """The lock of one address's download: hold it for as long as the file is read. One process may nest it."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(_part(remote, folder).with_suffix(".lock"), is_singleton=True)


def download(remote: Remote, folder: Path, progress: Progress) -> Path:
    """The whole file, in `folder`; `forget` removes it once it is no longer needed.

    Args:
        progress: called with (bytes so far, size or None).

    Raises:
        PenstockError: no such file, the server can't be reached, or the file changed meanwhile.
        OSError: the disk is full.
    """
    part = _part(remote, folder)
    note = part.with_suffix(".json")
    with held(remote, folder):
        info = describe(remote)
        if info is None:
            raise PenstockError(f"the file {remote.address}", "no such file there", "check the month and the address")
        known = json.loads(note.read_text()) if note.exists() else None
        same = known == info and (info["etag"] or info["size"])
        if not same or (part.exists() and info["size"] is not None and part.stat().st_size > info["size"]):
            part.unlink(missing_ok=True)
        note.write_text(json.dumps(info))
        try:
            _fill(remote, part, info["size"], progress)
        except Exception as error:
            if no_room(error):
                raise
            raise unreachable(remote.address, error) from None
        if describe(remote) != info:
            forget(part)
            raise PenstockError(
                f"{remote.address} to stay as it is while it is read", "another size or etag at the end", "run it again"
            )
    return part


def forget(part: Path) -> None:
    """Remove a download with its note."""
    for suffix in (".part", ".json"):
        part.with_suffix(suffix).unlink(missing_ok=True)
