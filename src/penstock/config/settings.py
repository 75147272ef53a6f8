"""Load the project's settings file, `penstock.yml`, into frozen objects.

The server, the lake and the adapter all use these settings. Unknown keys are refused by name, so that a
typing mistake is never ignored.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ValidationError, field_validator

from penstock.config import addresses, profiles
from penstock.config.sections import ServerSettings, StoreSettings, Strict
from penstock.errors import PenstockError
from penstock.storage import locations
from penstock.storage.locations import Location

FILE_NAME = "penstock.yml"
# Names of penstock's own folders in the state folder, which no target's folder may have.
RESERVED_NAMES = (
    *("airflow", "cds", "cluster-nodes", "conf", "environments", "jars", "logs", "metastore_db", "run", "tmp"),
    "tools",
)


class Settings(Strict):
    """The settings of a target, from `penstock.yml`.

    A section `targets.NAME` overrides the settings for the target NAME of profiles.yml. A target with a
    section has its own server and, by default, its own state folder below `state`.

    Attributes:
        root: the folder of the file; relative paths start there. Not a key of the file.
        target: the target that the settings are for; empty without a profile. Not a key of the file.
        shared: the `state` of the file's first level, where all targets keep their jars. Not a key of the file.
        lake: folder of the landed files, or its address in a store: `s3a://`, `gs://`, `hdfs://`.
        warehouse: folder of the tables that Spark manages, or its address in a store.
        metastore: `derby`, in the state folder; `postgresql://host:port/database`, which servers share, with user
            and password in the environment; or `thrift://host:port` of a running metastore.
        state: folder of the running server's files, jars and logs, and of Derby's table definitions.
        server: the Spark server.
        store: the connection to the stores of `lake` and `warehouse`.
    """

    root: Path
    target: str = ""
    shared: str = ".penstock"
    lake: str = "lake"
    warehouse: str = "warehouse"
    metastore: str = addresses.DERBY
    state: str = ".penstock"
    server: ServerSettings = ServerSettings()
    store: StoreSettings = StoreSettings()
    version: Literal[1] = 1

    @field_validator("metastore")
    @classmethod
    def _parse_metastore(cls, address: str) -> str:
        return addresses.parse_metastore(address).text

    @field_validator("lake", "warehouse")
    @classmethod
    def _check_address(cls, address: str) -> str:
        try:
            locations.scheme(address)
        except PenstockError as error:
            raise ValueError(f"{error.found} ({error.do})") from None
        return address

    def _folder(self, address: str) -> Location:
        return locations.open_location(self.root, address, self.store.endpoint, self.store.region, self.store.anonymous)

    @property
    def lake_dir(self) -> Location:
        """Return the absolute folder of the landed files."""
        return self._folder(self.lake)

    @property
    def lake_uri(self) -> str:
        """Return the folder of the landed files as a URI for Spark."""
        return locations.uri(self.root, self.lake)

    @property
    def warehouse_dir(self) -> Location:
        """Return the absolute folder of Spark's managed tables."""
        return self._folder(self.warehouse)

    @property
    def warehouse_uri(self) -> str:
        """Return the folder of Spark's managed tables as a URI for Spark."""
        return locations.uri(self.root, self.warehouse)

    @property
    def schemes(self) -> set[str]:
        """Return the schemes of the stores in use, of `s3a`, `gs`, `hdfs`; empty if all folders are local."""
        return {scheme for address in (self.lake, self.warehouse) if (scheme := locations.scheme(address))}

    @property
    def state_dir(self) -> Path:
        """Return the absolute folder of logs and of the running server's record."""
        return (self.root / self.state).resolve()

    @property
    def shared_dir(self) -> Path:
        """Return the absolute folder that the servers of all targets share, for jars and class archives."""
        return (self.root / self.shared).resolve()


def explain_validation(error: ValidationError, where: str) -> PenstockError:
    """Return pydantic's report as an error that names each key by its path."""
    unknown, wrong = [], []
    for item in error.errors():
        path = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            unknown.append(f"`{path}`")
        else:
            wrong.append(f"`{path}`: {item['msg'].removeprefix('Value error, ')}")
    found = "; ".join(([f"unknown key {', '.join(unknown)}"] if unknown else []) + wrong)
    return PenstockError(f"a valid {where}", found, f"correct {where}")


def find_root(start: Path | None = None) -> Path:
    """Return the nearest folder, from `start` upwards, with a penstock.yml or a dbt_project.yml; else `start`."""
    begin = (start or Path.cwd()).resolve()
    for folder in (begin, *begin.parents):
        if (folder / FILE_NAME).exists() or (folder / "dbt_project.yml").exists():
            return folder
    return begin


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Raises:
        PenstockError: the file is missing, is not YAML, or is not a mapping.
    """
    try:
        data = yaml.safe_load(path.read_text())
    except OSError as error:
        raise PenstockError(f"the file {path.name}", str(error.strerror), f"create {path}") from None
    except yaml.YAMLError as error:
        found = " ".join(str(error).split())
        raise PenstockError(f"{path.name} as YAML", found, f"correct {path}") from None
    if data is not None and not isinstance(data, dict):
        raise PenstockError(f"{path.name} as keys with values", type(data).__name__, f"correct {path}")
    return data or {}


def load(root: Path | None = None, target: str | None = None) -> Settings:
    """Return the settings of a project; without `penstock.yml`, the defaults.

    Args:
        root: the project's folder; by default found from the working folder upwards.
        target: a target of profiles.yml; by default the environment's PENSTOCK_TARGET, else the
            profile's default target.

    Raises:
        PenstockError: the file is not valid, even if only in the section of another target; the message
            names the keys. Or PENSTOCK_TARGET names an unknown target.
    """
    folder = (root or find_root()).resolve()
    path = folder / FILE_NAME
    data = read_yaml(path) if path.exists() else {}
    sections = data.pop("targets", None) or {}
    if not isinstance(sections, dict):
        raise PenstockError(f"a valid {FILE_NAME}", "`targets` without names", f"correct {path}")
    if hidden := sorted({"root", "target", "shared"} & set(data)):
        raise PenstockError(f"a valid {FILE_NAME}", f"unknown key `{hidden[0]}`", f"correct {path}")
    chosen = target or _default_target(folder, [str(name) for name in sections])
    by_target = {
        str(name): _target_settings(folder, data, str(name), section, path) for name, section in sections.items()
    }
    return by_target.get(chosen) or _validate({**data, "root": folder, "target": chosen, **_shared(data)}, str(path))


def _default_target(folder: Path, sections: list[str]) -> str:
    """Return the target of PENSTOCK_TARGET, else the profile's default target."""
    profile = profiles.read(folder)
    named = os.environ.get(profiles.TARGET_VARIABLE)
    known = sorted({*profile.targets, *sections})
    if named and named not in known:
        found = f"`{named}`; known: {', '.join(known) or 'none'}"
        do = f"choose one, or add it to profiles.yml and, to override settings, to {FILE_NAME}"
        raise PenstockError("a target of profiles.yml", found, do)
    return named or profile.default


def _shared(data: dict[str, Any]) -> dict[str, Any]:
    return {"shared": data["state"]} if "state" in data else {}


def _validate(values: dict[str, Any], where: str) -> Settings:
    try:
        return Settings(**values)
    except ValidationError as error:
        raise explain_validation(error, where) from None


def _target_settings(folder: Path, data: dict[str, Any], name: str, section: Any, path: Path) -> Settings:
    """Return the settings of a target: the file's first level, overridden by the target's section."""
    where = f"{path}, targets.{name}"
    if not isinstance(section, dict):
        raise PenstockError(f"`targets.{name}` as keys with values", type(section).__name__, f"correct {path}")
    if hidden := sorted({"root", "target", "shared", "version"} & set(section)):
        raise PenstockError(f"a valid {where}", f"unknown key `{hidden[0]}`", f"correct {path}")
    if name in RESERVED_NAMES and "state" not in section:
        found = f"`{name}`, which is the name of penstock's own folder there"
        raise PenstockError("a target name that is free as a folder below `state`", found, "choose another name")
    state = {"state": f"{data.get('state', '.penstock')}/{name}"}
    merged = _merge(data, {**state, **section})
    return _validate({**merged, "root": folder, "target": name, **_shared(data)}, where)


def _merge(base: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping overridden by another one, recursively where both have mappings."""
    merged = dict(base)
    for key, value in override.items():
        current = merged.get(key)
        merged[key] = _merge(current, value) if isinstance(current, dict) and isinstance(value, dict) else value
    return merged
