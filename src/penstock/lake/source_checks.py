"""Detect the type of a source file by its content, whatever its name."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from penstock.errors import PenstockError

FileType = Literal["parquet", "csv", "csv.gz"]
HEAD_BYTES = 64 * 1024
# UTF-32LE must come before UTF-16LE, because its mark starts with the mark of UTF-16LE.
BYTE_ORDER_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32LE",
    b"\x00\x00\xfe\xff": "UTF-32BE",
    b"\xff\xfe": "UTF-16LE",
    b"\xfe\xff": "UTF-16BE",
}


def detect_file_type(path: Path, name: str) -> FileType:
    """Return the type of the file at `path`.

    Args:
        path: path of the file.
        name: the file's name in error messages.

    Raises:
        PenstockError: the file is empty, an HTML page, a Git LFS pointer, a parquet file with a damaged footer, or
            another file that can't land.
    """
    size = path.stat().st_size
    if size == 0:
        raise _refusal(name, "an empty file (0 bytes)", "download it again")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(max(0, size - 4))
        tail = file.read(4)
    if head.startswith(b"PAR1"):
        _check_parquet(path, name, size, tail)
        return "parquet"
    if head.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(path) as packed:
                inner = packed.read(HEAD_BYTES)
        except (OSError, EOFError, zlib.error) as error:
            raise _refusal(name, f"a gzip file that does not unpack ({error})", "download it again") from None
        _check_text(inner, name, "inside the gzip file, ")
        return "csv.gz"
    _check_text(head, name, "")
    return "csv"


def _refusal(name: str, found: str, do: str) -> PenstockError:
    return PenstockError(f"{name} as a whole parquet or CSV file", found, do)


def _check_parquet(path: Path, name: str, size: int, tail: bytes) -> None:
    if tail != b"PAR1":
        found = f"a truncated parquet file: {size:,} bytes and no footer at the end"
        raise _refusal(name, found, "download it again")
    try:
        pq.ParquetFile(path).close()
    except (pa.ArrowException, OSError) as error:
        found = f"a parquet file with a damaged footer ({_one_line(error)})"
        raise _refusal(name, found, "download it again") from None


def _check_text(head: bytes, name: str, where: str) -> None:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not text:
        raise _refusal(name, f"{where}nothing but blanks", "download it again")
    if text.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head", b"<body", b"<error")):
        found = f"{where}a web page (HTML or XML), not data"
        raise _refusal(name, found, "open the address in a browser to see what the server says, then download again")
    if text.startswith(b"version https://git-lfs"):
        found = f"{where}a Git LFS pointer, not the file it points to"
        raise _refusal(name, found, "run `git lfs pull` in its repository, or download the file itself")
    if encoding := _wide_encoding(head):
        do = f"convert it, as in `iconv -f {encoding} -t UTF-8 {name}`"
        raise _refusal(name, f"{where}text in {encoding}, not in UTF-8", do)
    # Accept a NUL byte in a data row here. Reading the rows will report it with its row and column.
    if b"\x00" in head and not _first_line_is_text(head):
        raise _refusal(name, f"{where}binary data of no known kind", "give a parquet, CSV or gzipped CSV file")


def _wide_encoding(head: bytes) -> str | None:
    """Return the encoding of UTF-16 or UTF-32 text, or None for other text.

    The encoding is recognized by the byte order mark or by the positions of NUL bytes.
    """
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding
    for at, encoding in ((1, "UTF-16LE"), (0, "UTF-16BE")):
        pairs = len(head) // 2
        if pairs > 1 and head[at::2].count(0) > 0.8 * pairs and not head[1 - at :: 2].count(0):
            return encoding
    return None


def _first_line_is_text(head: bytes) -> bool:
    line = re.split(rb"[\r\n]", head.lstrip(b"\xef\xbb\xbf\r\n"), maxsplit=1)[0]
    return b"," in line and not any(byte < 32 and byte != 9 for byte in line)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
