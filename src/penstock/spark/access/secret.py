"""The secret of a server: kept in a private file of its state folder, the same from one start to the next.

The file says to Spark Connect its token, to Thrift its password. The key of Spark's UI is made from it: a browser
sends that to every port of this machine, so it must not open more than the UI.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from penstock.storage import private_files

FILE, KEY_FILE = "secret", "ui-key"
# The name by which clients log in; the server takes any.
USER = "penstock"


def take(folder: Path, given: str = "") -> str:
    """Return the secret kept in a folder, made when there is none, and keep the UI's key beside it.

    Args:
        folder: a server's state folder, or a cluster's.
        given: a secret that is to take the place of the one that is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = read(folder)
    secret = given or kept or secrets.token_urlsafe(32)
    if secret != kept:
        private_files.write(folder / FILE, secret)
    (folder / FILE).chmod(0o600)
    private_files.write(folder / KEY_FILE, ui_key(secret))
    return secret


def read(folder: Path) -> str:
    """The secret kept in a folder; empty when there is none."""
    try:
        return (folder / FILE).read_text().strip()
    except FileNotFoundError:
        return ""


def ui_key(secret: str) -> str:
    """The key of the UI of a server with this secret."""
    return hmac.new(secret.encode(), b"Spark UI", hashlib.sha256).hexdigest()


def link(ui: str, secret: str) -> str:
    """The address that opens a UI: with its key, which the UI puts into a cookie."""
    return f"{ui}/?key={ui_key(secret)}" if ui else ""
