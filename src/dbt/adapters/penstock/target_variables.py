"""The variable `target` in Jinja: its type is `spark` by default, because packages test for the adapters they know.

dbt's `Profile.to_target_dict` sets `type` to the adapter's name after it has read the adapter's own keys. So this
module wraps that method. Only the variable changes: `adapter.type()`, macro dispatch and the manifest still have
`penstock`.
"""

from __future__ import annotations

import functools
import sys
import warnings
from pathlib import Path
from typing import Any

from penstock.config.sections import Ports
from penstock.config.settings import Settings, find_root, load
from penstock.errors import PenstockError
from penstock.spark.server import record

TARGET_TYPES = ("spark", "penstock")
_WRAPPED = "_penstock_target_type"


def change_type() -> None:
    """Wrap dbt's method so that `target.type` has the value of the profile's `target_type`.

    Credentials call this function when they are made: dbt's module is imported by then. If this version of dbt lacks
    the method, a warning says so, and `target.type` stays `penstock`.
    """
    module = sys.modules.get("dbt.config.profile")
    if module is None:  # no dbt command, for example `penstock explain`
        return
    profile: Any = getattr(module, "Profile", None)
    original = getattr(profile, "to_target_dict", None)
    if original is None:
        _warn("Profile.to_target_dict")
        return
    if hasattr(original, _WRAPPED):
        return

    @functools.wraps(original)
    def to_target_dict(self: Any) -> dict[str, Any]:
        target: dict[str, Any] = original(self)
        target_type = getattr(self.credentials, "target_type", None)
        if target_type is None:  # another adapter's profile
            return target
        if "type" not in target:
            _warn("the key `type` in `target`")
            return target
        # Packages test for a part of the text, so the value is a plain string.
        return {**target, "type": str(target_type)}

    setattr(to_target_dict, _WRAPPED, True)
    profile.to_target_dict = to_target_dict


def _warn(missing: str) -> None:
    warnings.warn(
        f"penstock: this version of dbt lacks {missing}, so `target_type` in profiles.yml has no effect. Packages that "
        "test `target.type` may not recognize Spark. Use a version of dbt that dbt-penstock supports",
        stacklevel=2,
    )


@functools.lru_cache(maxsize=8)
def _settings(project_root: str, target_name: str | None) -> Settings:
    return load(find_root(Path(project_root)), target_name)


def managed_port(project_root: str, target_name: str | None) -> int:
    """Return the Thrift port of the project's own server if it is running, or else its preferred port.

    dbt reads `target` for each node, so this function neither starts the server nor checks its processes.
    """
    try:
        settings = _settings(project_root, target_name)
        server = record.read(settings)
    except (PenstockError, OSError):
        return Ports().thrift  # the first statement raises the error
    return server.ports.thrift if server and server.state == record.READY else settings.server.ports.thrift
