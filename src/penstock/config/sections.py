"""The sections `server`, `store` and `artifacts` of penstock.yml."""

from __future__ import annotations

import importlib.metadata
import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

# The adapter types that copies of dbt's artifacts can have.
AdapterType = Literal["spark", "databricks"]

# The Maven coordinate of Delta for each minor version of Spark, because a release is compiled for one minor version.
DELTA = {"4.1": "io.delta:delta-spark_4.1_2.13:4.3.0", "4.2": "io.delta:delta-spark_4.2_2.13:4.4.0"}
# The Maven coordinate of Iceberg for each minor version of Spark. Iceberg has no release for Spark 4.2 yet.
ICEBERG = {"4.1": "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0"}
ICEBERG_ARTIFACT = ":iceberg-spark-runtime-"
DEFAULT_SPARK = "4.1"

# For each type of catalog, the form of `uri`, and an example.
CATALOG_URIS = {
    "rest": (r"https?://\S+", "http://127.0.0.1:8181"),
    "hive": (r"thrift://\S+", "thrift://127.0.0.1:9083"),
    "jdbc": (r"jdbc:\w+:\S+", "jdbc:postgresql://127.0.0.1/catalog"),
}
# Names of Spark's own catalogs, in lower case. Iceberg catalogs need other names.
SPARK_CATALOGS = ("spark_catalog", "system", "session")


def _spark_version() -> str:
    """Return the minor version of the installed pyspark, for example 4.1; empty if pyspark isn't installed."""
    try:
        return ".".join(importlib.metadata.version("pyspark").split(".")[:2])
    except importlib.metadata.PackageNotFoundError:
        return ""


def delta_package() -> str:
    """Return the Maven coordinate of Delta for the installed pyspark or, if Delta has none for it, for Spark 4.1."""
    return DELTA.get(_spark_version(), DELTA[DEFAULT_SPARK])


def iceberg_package() -> str:
    """Return the Maven coordinate of Iceberg for the installed pyspark or, if there is no pyspark, for Spark 4.1.

    Raises:
        ValueError: Iceberg has no release for the installed pyspark.
    """
    spark = _spark_version() or DEFAULT_SPARK
    if spark not in ICEBERG:
        raise ValueError(
            f"needed: Iceberg's jar for Spark {spark}, which has no release that penstock knows. Install pyspark "
            f"{', '.join(ICEBERG)}, or add a Maven coordinate with {ICEBERG_ARTIFACT[1:]} to server.packages"
        )
    return ICEBERG[spark]


def _coordinate(package: Any) -> Any:
    """Return the Maven coordinate that the short name `delta` or `iceberg` means; return any other value unchanged."""
    if package == "delta":
        return delta_package()
    return iceberg_package() if package == "iceberg" else package


def _to_text(value: Any) -> Any:
    """Return a mapping from YAML with its numbers and booleans as strings; return any other value unchanged."""
    if not isinstance(value, dict):
        return value
    return {str(k): str(v).lower() if isinstance(v, bool) else str(v) for k, v in value.items()}


class Strict(BaseModel):
    """Base class of all settings objects. They are immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ports(Strict):
    """Preferred loopback ports. The server skips a port that is in use."""

    thrift: int = Field(10000, ge=1024, le=65000)
    connect: int = Field(15002, ge=1024, le=65000)
    ui: int = Field(4040, ge=1024, le=65000)
    metastore: int = Field(9083, ge=1024, le=65000)


class Executors(Strict):
    """The executors that penstock requests from a cluster, for its server and for each spark-submit driver.

    Attributes:
        count: number of executors.
        cores: number of concurrent tasks per executor.
        memory: JVM heap per executor, for example `1g`.
        wait_seconds: how long the server, or a spark-submit job, waits for its first executor.
        jars: how executors get the table-format jars. With `path`, the jars must already be at the same path as on
            this machine. With `ship`, Spark sends them.
        python: path or name of the executors' Python; by default the path of this environment's Python.
        packages: Python packages to send to the executors, with their dependencies.
    """

    count: int = Field(2, ge=1)
    cores: int = Field(1, ge=1)
    memory: str = Field("1g", pattern=r"^[1-9][0-9]*[mg]$")
    wait_seconds: float = Field(120, gt=0)
    jars: Literal["path", "ship"] = "path"
    python: str | None = None
    packages: tuple[str, ...] = ()


class CatalogSettings(Strict):
    """An Iceberg catalog. Spark's own catalog, `spark_catalog`, is used for Delta.

    Credentials come from the environment (`penstock.config.catalog_credentials`).

    Attributes:
        type: the kind of catalog.
        uri: the catalog's address. A hive catalog without `uri` uses the server's metastore.
        warehouse: folder of the tables, as a path relative to the project or as an address. For a rest catalog, it is
            the name or the address that the catalog's server expects.
        options: further properties of Iceberg's catalog.
    """

    type: Literal["rest", "hive", "jdbc", "hadoop"]
    uri: str | None = Field(None, validate_default=True)
    warehouse: str | None = Field(None, validate_default=True)
    options: dict[str, str] = {}

    @field_validator("uri")
    @classmethod
    def _check_uri(cls, uri: str | None, info: ValidationInfo) -> str | None:
        kind = info.data.get("type")
        if kind not in CATALOG_URIS:
            if uri is not None and kind:
                raise ValueError(f"a {kind} catalog has no uri, only a warehouse")
            return uri
        pattern, example = CATALOG_URIS[kind]
        if uri is None and kind != "hive":
            raise ValueError(f"a {kind} catalog needs it, for example {example}")
        if uri is not None and (re.search(r"//[^/]*@", uri) or re.search(r"(?i)(user|password|token|secret)\w*=", uri)):
            raise ValueError("it contains a user or a password; set them in the environment (docs/how-to/iceberg.md)")
        if uri is not None and not re.fullmatch(pattern, uri):
            raise ValueError(f"not the address of a {kind} catalog, for example {example}")
        return uri

    @field_validator("warehouse")
    @classmethod
    def _check_warehouse(cls, warehouse: str | None, info: ValidationInfo) -> str | None:
        kind = info.data.get("type")
        if not warehouse and kind in ("jdbc", "hadoop"):
            raise ValueError(f"a {kind} catalog needs it: the folder of its tables")
        return warehouse

    @field_validator("options", mode="before")
    @classmethod
    def _convert_options_to_text(cls, options: Any) -> Any:
        return _to_text(options)

    @field_validator("options")
    @classmethod
    def _check_options(cls, options: dict[str, str]) -> dict[str, str]:
        if taken := sorted({"type", "uri", "warehouse", "catalog-impl"} & set(options)):
            raise ValueError(f"`{taken[0]}` is not an option: the catalog's keys type, uri and warehouse set it")
        return options


class ServerSettings(Strict):
    """The Spark server that penstock starts on this machine.

    Attributes:
        master: Spark master of the driver, as for `spark-submit --master`.
        memory: JVM heap of the driver, such as `4g` or `900m`. With `auto`, the machine's memory determines the heap.
        java_home: folder of Java 17 or 21. By default, penstock searches for one.
        idle_minutes: the server stops after this many minutes without a client. With 0, it keeps running.
        start_seconds: time limit for the server's start.
        class_data_sharing: keep an archive of loaded classes. The archive has about 250 MB, and halves the start time.
        bind: the network address on which Thrift, Connect, the Spark UI and the driver listen: loopback, or all
            addresses of the machine. Clients must send the server's secret, but the connection is not encrypted.
            Use `0.0.0.0` only in a pod behind a network policy.
        ports: preferred ports.
        executors: the executors. Ignored if the master is local.
        packages: Maven coordinates of the table-format jars on the JVM's system class path. `delta` and `iceberg` stand
            for the coordinates that fit the installed Spark. If `catalogs` isn't empty, `iceberg` is added.
        catalogs: Iceberg catalogs, by name.
        java_options: options of the Spark JVM, added after penstock's own options.
        spark_conf: Spark settings, which extend or override penstock's own settings.
    """

    master: str = "local[*]"
    memory: str = Field("auto", pattern=r"^(auto|[1-9][0-9]*[mg])$")
    java_home: str | None = None
    idle_minutes: float = Field(60, ge=0)
    start_seconds: float = Field(180, gt=0)
    class_data_sharing: bool = True
    bind: Literal["127.0.0.1", "0.0.0.0"] = "127.0.0.1"
    ports: Ports = Ports()
    executors: Executors = Executors()
    packages: tuple[str, ...] = (delta_package(),)
    catalogs: dict[str, CatalogSettings] = {}
    java_options: tuple[str, ...] = ()
    spark_conf: dict[str, str] = {}

    @field_validator("spark_conf", mode="before")
    @classmethod
    def _convert_spark_conf_to_text(cls, conf: Any) -> Any:
        return _to_text(conf)

    @field_validator("catalogs")
    @classmethod
    def _check_catalog_names(cls, catalogs: dict[str, CatalogSettings]) -> dict[str, CatalogSettings]:
        for name in catalogs:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise ValueError(f"`{name}` is not a name of letters, digits and underscores")
            if name.lower() in SPARK_CATALOGS:
                raise ValueError(f"`{name}` is a catalog of Spark itself; choose another name")
        if len({name.lower() for name in catalogs}) < len(catalogs):
            raise ValueError("two names differ only in case")
        return catalogs

    @model_validator(mode="before")
    @classmethod
    def _complete_packages(cls, values: Any) -> Any:
        """Replace short names in `packages` with coordinates. If there are catalogs, add the coordinate of Iceberg."""
        if not isinstance(values, dict):
            return values
        given = values.get("packages", [delta_package()])
        if not isinstance(given, list | tuple):
            return values
        packages = [_coordinate(package) for package in given]
        if values.get("catalogs") and not any(ICEBERG_ARTIFACT in str(package) for package in packages):
            packages.append(iceberg_package())
        return {**values, "packages": packages}


class StoreSettings(Strict):
    """The connection to the object store or HDFS that holds `lake` and `warehouse`.

    Credentials come from the environment or the provider's credential chain, not from the settings.

    Attributes:
        endpoint: for S3 and GCS, the URL of an object store other than the provider's, for example
            `http://127.0.0.1:5000`. For HDFS, the WebHDFS URL; by default port 9870 on the NameNode.
        region: the S3 region.
        anonymous: connect without credentials.
    """

    endpoint: str | None = Field(None, pattern=r"^https?://[^/\s@]+$")
    region: str | None = None
    anonymous: bool = False


class ArtifactsSettings(Strict):
    """Copies of dbt's artifacts for tools that don't know the adapter type `penstock`.

    Attributes:
        adapter_type: the adapter type in the copies. By default, dbt commands write no copies.
    """

    adapter_type: AdapterType | None = None
