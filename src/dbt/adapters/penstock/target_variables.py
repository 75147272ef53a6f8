"""The variable `target` in Jinja. `target.type` is `spark` by default, because packages test for adapters they know.

dbt's method `Profile.to_target_dict` first reads the adapter's own keys and then sets `type` to the adapter's name. The
adapter's keys cannot override `type`, so this module wraps the method. Only the variable changes: `adapter.type()`,
macro dispatch and the manifest still have `penstock`.
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

    The credentials call this function when they are created, because dbt's module `dbt.config.profile` is imported by
    then. If this version of dbt lacks the method, the function warns, and `target.type` stays `penstock`.
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
        # Packages also test whether the value contains a text, so the value is a plain string.
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
    """Return the Thrift port of the project's own server if the server is running, and otherwise its preferred port.

    dbt reads `target`, and so calls this function, for each node. To be fast, the function neither starts the server
    nor checks the server's processes.
    """
    try:
        settings = _settings(project_root, target_name)
        server = record.read(settings)
    except (PenstockError, OSError):
        return Ports().thrift  # the first statement will raise the same error
    return server.ports.thrift if server and server.state == record.READY else settings.server.ports.thrift
