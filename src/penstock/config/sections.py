"""The sections `server`, `store` and `artifacts` of penstock.yml."""

from __future__ import annotations

import importlib.metadata
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

# The adapter types that copies of dbt's artifacts can have.
AdapterType = Literal["spark", "databricks"]

# Delta is compiled for one minor version of Spark.
DELTA = {"4.1": "io.delta:delta-spark_4.1_2.13:4.3.0", "4.2": "io.delta:delta-spark_4.2_2.13:4.4.0"}


def delta_package() -> str:
    """Return the Maven coordinate of Delta for the installed pyspark; for Spark 4.1 if there is none."""
    try:
        spark = importlib.metadata.version("pyspark")
    except importlib.metadata.PackageNotFoundError:
        spark = ""
    return DELTA.get(".".join(spark.split(".")[:2]), DELTA["4.1"])


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


class ServerSettings(Strict):
    """The Spark server that penstock starts on this machine.

    Attributes:
        master: Spark master of the driver, as for `spark-submit --master`.
        memory: JVM heap of the driver, for example `4g` or `900m`. With `auto`, it depends on the machine's memory.
        java_home: folder of Java 17 or 21. By default, penstock searches for one.
        idle_minutes: the server stops after this many minutes without a client. With 0, it keeps running.
        start_seconds: time limit for the server's start.
        class_data_sharing: keep an archive of loaded classes (about 250 MB). It halves the start time.
        bind: the network address on which Thrift, Connect, the Spark UI and the driver listen: loopback, or all
            addresses of the machine. Clients must send the server's secret, but the connection is not encrypted.
            Use `0.0.0.0` only in a pod behind a network policy.
        ports: preferred ports.
        executors: the executors. Ignored if the master is local.
        packages: Maven coordinates of the table-format jars on the JVM's system class path.
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
    java_options: tuple[str, ...] = ()
    spark_conf: dict[str, str] = {}

    @model_validator(mode="before")
    @classmethod
    def _convert_spark_conf_to_text(cls, values: Any) -> Any:
        """Convert numbers and booleans from YAML to strings, because Spark settings are strings."""
        conf = values.get("spark_conf") if isinstance(values, dict) else None
        if isinstance(conf, dict):
            text = {str(k): str(v).lower() if isinstance(v, bool) else str(v) for k, v in conf.items()}
            return {**values, "spark_conf": text}
        return values


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
