"""The project's settings file, `penstock.yml`: read once, at the edge, into frozen objects.

Every part reads its settings from here: the server, the landing, the adapter. A key that is not
known is refused by name, so that a typing mistake never passes for a setting.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from penstock.errors import PenstockError

FILE_NAME = "penstock.yml"


class Strict(BaseModel):
    """Base of every settings object: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ports(Strict):
    """Preferred loopback ports; one that is taken is stepped over."""

    thrift: int = Field(10000, ge=1024, le=65000)
    connect: int = Field(15002, ge=1024, le=65000)
    ui: int = Field(4040, ge=1024, le=65000)
    metastore: int = Field(9083, ge=1024, le=65000)


class ServerSettings(Strict):
    """The Spark server that penstock starts on this machine.

    Attributes:
        master: Spark master of the driver, as `spark-submit --master` takes it.
        memory: JVM heap of the driver, `auto` (sized to the machine) or as in `4g`, `900m`.
        java_home: folder of a Java 17 or 21; found by itself when left out.
        idle_minutes: the server stops after this long without a client; 0 keeps it up for ever.
        start_seconds: how long a start may take before it counts as failed.
        class_data_sharing: keep an archive of loaded classes (about 250 MB) to halve the start.
        ports: preferred ports.
        packages: Maven coordinates of the table-format jars put on the system class path.
        java_options: options of the Spark JVM, added after penstock's own.
        spark_conf: Spark settings added to, or put over, penstock's own.
    """

    master: str = "local[*]"
    memory: str = Field("auto", pattern=r"^(auto|[1-9][0-9]*[mg])$")
    java_home: str | None = None
    idle_minutes: float = Field(60, ge=0)
    start_seconds: float = Field(180, gt=0)
    class_data_sharing: bool = True
    ports: Ports = Ports()
    packages: tuple[str, ...] = ("io.delta:delta-spark_4.1_2.13:4.3.0",)
    java_options: tuple[str, ...] = ()
    spark_conf: dict[str, str] = {}

    @model_validator(mode="before")
    @classmethod
    def _spark_values_are_text(cls, values: Any) -> Any:
        """YAML reads `8` and `true` as numbers and booleans; Spark wants their text."""
        conf = values.get("spark_conf") if isinstance(values, dict) else None
        if isinstance(conf, dict):
            text = {str(k): str(v).lower() if isinstance(v, bool) else str(v) for k, v in conf.items()}
            return {**values, "spark_conf": text}
        return values


class Settings(Strict):
    """All of `penstock.yml`.

    Attributes:
        root: the folder that holds the file; relative paths start there. Not a key of the file.
        lake: folder of the landed files.
        warehouse: folder of the tables that Spark manages.
        state: folder of the running server's files, jars and logs. Safe to delete when it is down.
        server: the Spark server.
    """

    root: Path
    lake: str = "lake"
    warehouse: str = "warehouse"
    state: str = ".penstock"
    server: ServerSettings = ServerSettings()
    version: Literal[1] = 1

    @property
    def lake_dir(self) -> Path:
        """Absolute folder of the landed files."""
        return (self.root / self.lake).resolve()

    @property
    def warehouse_dir(self) -> Path:
        """Absolute folder of Spark's managed tables."""
        return (self.root / self.warehouse).resolve()

    @property
    def state_dir(self) -> Path:
        """Absolute folder of jars, logs and the running server's record."""
        return (self.root / self.state).resolve()


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


def load(root: Path | None = None) -> Settings:
    """The settings of the project at `root` (default: found from the working folder upwards).

    A project without `penstock.yml` has the defaults.

    Raises:
        PenstockError: the file is not valid; the unknown or wrong keys are named.
    """
    folder = (root or find_root()).resolve()
    path = folder / FILE_NAME
    data = read_yaml(path) if path.exists() else {}
    if "root" in data:
        raise PenstockError(f"a valid {FILE_NAME}", "unknown key `root`", f"correct {path}")
    try:
        return Settings(root=folder, **data)
    except ValidationError as error:
        raise explain_validation(error, str(path)) from None
