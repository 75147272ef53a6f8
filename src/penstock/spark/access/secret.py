"""The secret of a server, in a private file of its state folder; it stays the same when the server restarts.

It is the token of Spark Connect and the password of Thrift. The key of Spark's UI is derived from it: a browser sends
the key to every port of this machine, so it must open nothing but the UI.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from penstock.storage import private_files

FILE, KEY_FILE = "secret", "ui-key"
# The user name with which clients log in; the server accepts any.
USER = "penstock"


def ensure(folder: Path, given: str = "") -> str:
    """Return the secret of a folder, created if missing, and write the UI's key next to it.

    Args:
        folder: the state folder of a server or a cluster.
        given: a secret that replaces the one in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    existing = read(folder)
    secret = given or existing or secrets.token_urlsafe(32)
    if secret != existing:
        private_files.write(folder / FILE, secret)
    (folder / FILE).chmod(0o600)
    private_files.write(folder / KEY_FILE, ui_key(secret))
    return secret


def read(folder: Path) -> str:
    """Return the secret of a folder; empty when there is none."""
    try:
        return (folder / FILE).read_text().strip()
    except FileNotFoundError:
        return ""


def ui_key(secret: str) -> str:
    """Return the key of the UI of a server with this secret."""
    return hmac.new(secret.encode(), b"Spark UI", hashlib.sha256).hexdigest()


def ui_link(ui: str, secret: str) -> str:
    """Return a UI's address with its key, which the UI stores in a cookie."""
    return f"{ui}/?key={ui_key(secret)}" if ui else ""
