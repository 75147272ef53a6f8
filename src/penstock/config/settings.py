"""The project's settings file, `penstock.yml`: read once, at the edge, into frozen objects.

Every part reads its settings from here: the server, the landing, the adapter. A key that is not
known is refused by name, so that a typing mistake never passes for a setting.
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
# Folders of the state that aren't a target's.
TAKEN = (
    *("airflow", "cds", "cluster-nodes", "conf", "environments", "jars", "logs", "metastore_db", "run", "tmp"),
    "tools",
)


class Settings(Strict):
    """All of `penstock.yml`.

    A section `targets.NAME` holds what the target of that name in profiles.yml has otherwise. Such a
    target has a server of its own, and by default its state in a folder of its own below `state`.

    Attributes:
        root: the folder that holds the file; relative paths start there. Not a key of the file.
        target: the target they are for; empty when the project has no profile. Not a key either.
        shared: the `state` of the file's first level, where all targets keep their jars. Not a key either.
        lake: folder of the landed files, or its address in a store: `s3a://`, `gs://`, `hdfs://`.
        warehouse: folder of the tables that Spark manages, or its address in a store.
        metastore: `derby`, in the state folder; `postgresql://host:port/database` that servers share, user and
            password in the environment; `thrift://host:port` of one that runs already.
        state: folder of the running server's files, jars and logs, and of Derby's table definitions.
        server: the Spark server.
        store: how the stores of `lake` and `warehouse` are reached.
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
    def _metastore(cls, address: str) -> str:
        return addresses.metastore(address).text

    @field_validator("lake", "warehouse")
    @classmethod
    def _address(cls, address: str) -> str:
        try:
            locations.scheme(address)
        except PenstockError as error:
            raise ValueError(f"{error.found} ({error.do})") from None
        return address

    def _folder(self, address: str) -> Location:
        return locations.open_location(self.root, address, self.store.endpoint, self.store.region, self.store.anonymous)

    @property
    def lake_dir(self) -> Location:
        """Absolute folder of the landed files."""
        return self._folder(self.lake)

    @property
    def lake_uri(self) -> str:
        """The same as Spark takes it."""
        return locations.uri(self.root, self.lake)

    @property
    def warehouse_dir(self) -> Location:
        """Absolute folder of Spark's managed tables."""
        return self._folder(self.warehouse)

    @property
    def warehouse_uri(self) -> str:
        """The same as Spark takes it."""
        return locations.uri(self.root, self.warehouse)

    @property
    def schemes(self) -> set[str]:
        """The stores that are needed: of `s3a`, `gs`, `hdfs`; none when all lies on a disk."""
        return {scheme for address in (self.lake, self.warehouse) if (scheme := locations.scheme(address))}

    @property
    def state_dir(self) -> Path:
        """Absolute folder of logs and the running server's record."""
        return (self.root / self.state).resolve()

    @property
    def shared_dir(self) -> Path:
        """Absolute folder of what the servers of all targets share: jars, archives of classes."""
        return (self.root / self.shared).resolve()


def explain_validation(error: ValidationError, where: str) -> PenstockError:
    """Turn pydantic's report into one line a person can act on, each key named by its path."""
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
    """The nearest folder, from `start` upwards, with a penstock.yml or a dbt_project.yml; else `start`."""
    begin = (start or Path.cwd()).resolve()
    for folder in (begin, *begin.parents):
        if (folder / FILE_NAME).exists() or (folder / "dbt_project.yml").exists():
            return folder
    return begin


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file's mapping.

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
    """The settings of the project at `root` (default: found from the working folder upwards).

    A project without `penstock.yml` has the defaults.

    Args:
        target: of profiles.yml; by default the one of the environment's PENSTOCK_TARGET, else the
            profile's own.

    Raises:
        PenstockError: the file is not valid, in whichever target's section; the unknown or wrong keys
            are named. Or the environment names a target that there is not.
    """
    folder = (root or find_root()).resolve()
    path = folder / FILE_NAME
    data = read_yaml(path) if path.exists() else {}
    sections = data.pop("targets", None) or {}
    if not isinstance(sections, dict):
        raise PenstockError(f"a valid {FILE_NAME}", "`targets` without names", f"correct {path}")
    if hidden := sorted({"root", "target", "shared"} & set(data)):
        raise PenstockError(f"a valid {FILE_NAME}", f"unknown key `{hidden[0]}`", f"correct {path}")
    chosen = target or _wanted(folder, [str(name) for name in sections])
    made = {str(name): _of_target(folder, data, str(name), section, path) for name, section in sections.items()}
    return made.get(chosen) or _validated({**data, "root": folder, "target": chosen, **_shared(data)}, str(path))


def _wanted(folder: Path, sections: list[str]) -> str:
    """The target that is meant when the caller names none."""
    profile = profiles.read(folder)
    named = os.environ.get(profiles.VARIABLE)
    known = sorted({*profile.targets, *sections})
    if named and named not in known:
        have = ", ".join(known) or "none"
        do = f"choose one, or add it to profiles.yml and, for settings of its own, to {FILE_NAME}"
        raise PenstockError("a target of profiles.yml", f"`{named}`; known: {have}", do)
    return named or profile.default


def _shared(data: dict[str, Any]) -> dict[str, Any]:
    return {"shared": data["state"]} if "state" in data else {}


def _validated(values: dict[str, Any], where: str) -> Settings:
    try:
        return Settings(**values)
    except ValidationError as error:
        raise explain_validation(error, where) from None


def _of_target(folder: Path, data: dict[str, Any], name: str, section: Any, path: Path) -> Settings:
    """A target's settings: its section over the rest of the file."""
    where = f"{path}, targets.{name}"
    if not isinstance(section, dict):
        raise PenstockError(f"`targets.{name}` as keys with values", type(section).__name__, f"correct {path}")
    if hidden := sorted({"root", "target", "shared", "version"} & set(section)):
        raise PenstockError(f"a valid {where}", f"unknown key `{hidden[0]}`", f"correct {path}")
    if name in TAKEN and "state" not in section:
        found = f"`{name}`, a folder that penstock's own files have there"
        raise PenstockError("a target's name for a folder of its own below the state's", found, "choose another name")
    shared = _shared(data)
    own = {"state": f"{data.get('state', '.penstock')}/{name}"}
    return _validated({**_over(data, {**own, **section}), "root": folder, "target": name, **shared}, where)


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """One mapping over another, key by key, as deep as both have mappings."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
