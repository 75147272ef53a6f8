"""Load the project's settings file, `penstock.yml`, into frozen objects.

The server, the lake and the adapter all use these settings. An unknown key is an error that names the key, so that
penstock never ignores a misspelled key.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ValidationError, field_validator

from penstock.config import addresses, catalog_credentials, profiles
from penstock.config.run_settings import OpenLineageSettings, RunsSettings
from penstock.config.sections import ArtifactsSettings, ServerSettings, StoreSettings, Strict
from penstock.config.validation_errors import explain_validation
from penstock.errors import PenstockError
from penstock.storage import locations
from penstock.storage.locations import Location

FILE_NAME = "penstock.yml"
# Names of penstock's own folders in the state folder. A target's folder must have another name.
RESERVED_NAMES = (
    *("airflow", "cds", "cluster-nodes", "conf", "environments", "jars", "logs", "metastore_db", "run", "tmp"),
    "tools",
)
# Fields of the settings that penstock sets itself.
HIDDEN_KEYS = frozenset({"root", "target", "shared"})


class Settings(Strict):
    """The settings of a target, from `penstock.yml`.

    The section `targets.NAME` overrides the file's top-level settings for the target NAME in profiles.yml. A target
    with a section has its own server and, by default, its own state folder below `state`.

    `root`, `target` and `shared` are not keys of the file: penstock sets them itself.

    Attributes:
        root: the folder of `penstock.yml`. Relative paths are relative to it.
        target: the name of the target; empty if the project has no profile.
        shared: the top-level `state` of the file. All targets keep their jars there.
        lake: folder of the landed files: a local path, or an address that starts with `s3a://`, `gs://` or `hdfs://`.
        warehouse: folder of Spark's managed tables: a local path or an address, as for `lake`.
        metastore: `derby` for a database in the state folder; `postgresql://host:port/database` for a database that
            several servers can share, with user and password in the environment; `thrift://host:port` for a running
            metastore.
        state: folder of the running server's files, jars and logs, and of the Derby database.
        server: settings of the Spark server.
        store: the connection to the object store or HDFS that holds `lake` and `warehouse`.
        artifacts: copies of dbt's artifacts, which each dbt command writes.
        runs: the records of dbt commands.
        openlineage: OpenLineage events.
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
    artifacts: ArtifactsSettings = ArtifactsSettings()
    runs: RunsSettings = RunsSettings()
    openlineage: OpenLineageSettings = OpenLineageSettings()
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
        """Return the remote schemes (`s3a`, `gs`, `hdfs`) of `lake` and `warehouse`; empty if both are local."""
        return {scheme for address in (self.lake, self.warehouse) if (scheme := locations.scheme(address))}

    @property
    def state_dir(self) -> Path:
        """Return the absolute folder of the logs and of the running server's files."""
        return (self.root / self.state).resolve()

    @property
    def shared_dir(self) -> Path:
        """Return the absolute folder of the jars and class archives that the servers of all targets share."""
        return (self.root / self.shared).resolve()


def find_root(start: Path | None = None) -> Path:
    """Return the project's root folder.

    The root is the nearest folder with a `penstock.yml` or `dbt_project.yml`, from `start` upwards. If no folder has
    one of these files, the root is `start`. By default, `start` is the working folder.
    """
    begin = (start or Path.cwd()).resolve()
    for folder in (begin, *begin.parents):
        if (folder / FILE_NAME).exists() or (folder / "dbt_project.yml").exists():
            return folder
    return begin


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file. If the file is empty, the mapping is empty.

    Raises:
        PenstockError: the file is missing or unreadable, is not YAML, or does not contain a mapping.
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
    """Return the settings of a project. If the project has no `penstock.yml`, return the defaults.

    Args:
        root: the project's folder; by default the result of `find_root`.
        target: a target in profiles.yml. By default, the target in the environment variable PENSTOCK_TARGET; if that
            is not set, the profile's default target.

    Raises:
        PenstockError: the file is invalid (the sections of all targets are checked), or PENSTOCK_TARGET names an
            unknown target. The message names the wrong keys.
    """
    folder = (root or find_root()).resolve()
    path = folder / FILE_NAME
    data = read_yaml(path) if path.exists() else {}
    sections = data.pop("targets", None) or {}
    if not isinstance(sections, dict):
        raise PenstockError(f"a valid {FILE_NAME}", "`targets` without names", f"correct {path}")
    if hidden := sorted(HIDDEN_KEYS & set(data)):
        raise _unknown_key(FILE_NAME, hidden[0], path)
    chosen = target or _default_target(folder, [str(name) for name in sections])
    by_target = {
        str(name): _target_settings(folder, data, str(name), section, path) for name, section in sections.items()
    }
    return by_target.get(chosen) or _validate({**data, "root": folder, "target": chosen, **_shared(data)}, str(path))


def _unknown_key(where: str, key: str, path: Path) -> PenstockError:
    return PenstockError(
        f"a valid {where}", f"unknown key `{key}`", f"correct {path}", entry="a-key-of-penstockyml-is-unknown"
    )


def _default_target(folder: Path, sections: list[str]) -> str:
    """Return the target in PENSTOCK_TARGET or, if that is not set, the profile's default target."""
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
    catalog_credentials.refuse_in_file(values, where)
    try:
        return Settings(**values)
    except ValidationError as error:
        entry = "a-key-of-penstockyml-is-unknown"
        raise explain_validation(error, where, Settings, HIDDEN_KEYS, entry=entry) from None


def _target_settings(folder: Path, data: dict[str, Any], name: str, section: Any, path: Path) -> Settings:
    """Return the settings of a target: the file's top-level settings, overridden by the target's section."""
    where = f"{path}, targets.{name}"
    if not isinstance(section, dict):
        raise PenstockError(f"`targets.{name}` as keys with values", type(section).__name__, f"correct {path}")
    if hidden := sorted({*HIDDEN_KEYS, "version"} & set(section)):
        raise _unknown_key(where, hidden[0], path)
    if name in RESERVED_NAMES and "state" not in section:
        found = f"`{name}`, which is the name of penstock's own folder there"
        raise PenstockError("a target name that is free as a folder below `state`", found, "choose another name")
    state = {"state": f"{data.get('state', '.penstock')}/{name}"}
    merged = _merge(data, {**state, **section})
    return _validate({**merged, "root": folder, "target": name, **_shared(data)}, where)


def _merge(base: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `override`. If both values of a key are mappings, merge them recursively."""
    merged = dict(base)
    for key, value in override.items():
        current = merged.get(key)
        merged[key] = _merge(current, value) if isinstance(current, dict) and isinstance(value, dict) else value
    return merged
