"""The secret of a server. It is in a private file of the state folder and stays the same when the server restarts.

The secret is the token of Spark Connect and the password of Thrift. The key of Spark's UI is derived from the secret. A
browser sends the cookie with the key to every port of this machine, so the key must give access to the UI only.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from penstock.storage import private_files

FILE, KEY_FILE = "secret", "ui-key"
# The user name with which clients log in. The server accepts any user name.
USER = "penstock"


def ensure(folder: Path, given: str = "") -> str:
    """Return the secret in a folder. Create it if it is missing, and write the UI's key to the same folder.

    Args:
        folder: the state folder of a server or a cluster.
        given: a secret that replaces the existing one; empty keeps the existing one.
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
    """Return the secret in a folder; empty if there is none."""
    try:
        return (folder / FILE).read_text().strip()
    except FileNotFoundError:
        return ""


def ui_key(secret: str) -> str:
    """Return the UI's key, which is derived from the server's secret."""
    return hmac.new(secret.encode(), b"Spark UI", hashlib.sha256).hexdigest()


def ui_link(ui: str, secret: str) -> str:
    """Return a UI's URL with the key, which the UI stores in a cookie; empty for an empty URL."""
    return f"{ui}/?key={ui_key(secret)}" if ui else ""
