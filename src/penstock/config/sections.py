"""Sections of penstock.yml: `server` with its ports and executors, and `store`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Strict(BaseModel):
    """Base of every settings object: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ports(Strict):
    """Preferred loopback ports; one that is taken is stepped over."""

    thrift: int = Field(10000, ge=1024, le=65000)
    connect: int = Field(15002, ge=1024, le=65000)
    ui: int = Field(4040, ge=1024, le=65000)
    metastore: int = Field(9083, ge=1024, le=65000)


class Executors(Strict):
    """What the server asks a cluster for, and each spark_submit driver beside it.

    Attributes:
        count: how many executors.
        cores: tasks that each runs at a time.
        memory: JVM heap of each, as in `1g`.
        wait_seconds: how long a server waits for the first one, and the jobs of a driver of its own for any.
        jars: `path`: they find the table-format jars where this machine has them; `ship`: they are sent.
        python: path or name of their Python; without it they have this environment's, at the same path.
        packages: Python packages that are sent to them, with all these need.
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
        master: Spark master of the driver, as `spark-submit --master` takes it.
        memory: JVM heap of the driver, `auto` (sized to the machine) or as in `4g`, `900m`.
        java_home: folder of a Java 17 or 21; found by itself when left out.
        idle_minutes: the server stops after this long without a client; 0 keeps it up for ever.
        start_seconds: how long a start may take before it counts as failed.
        class_data_sharing: keep an archive of loaded classes (about 250 MB) to halve the start.
        bind: where Thrift, Connect, Spark's UI and the driver listen: loopback, or every address of the
            machine. All ask for the server's secret, and without TLS it can be read on the way: `0.0.0.0` is for
            a pod behind a network policy.
        ports: preferred ports.
        executors: of a master that isn't local.
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
    bind: Literal["127.0.0.1", "0.0.0.0"] = "127.0.0.1"
    ports: Ports = Ports()
    executors: Executors = Executors()
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


class StoreSettings(Strict):
    """How the store of `lake` and `warehouse` is reached, when they don't lie on a disk.

    Credentials are not among them: they come from the environment or the provider's own chain.

    Attributes:
        endpoint: address of an object store that isn't the provider's own, `http://127.0.0.1:5000`; for
            HDFS its WebHDFS address (default: port 9870 of the NameNode).
        region: of S3.
        anonymous: ask without credentials.
    """

    endpoint: str | None = Field(None, pattern=r"^https?://[^/\s@]+$")
    region: str | None = None
    anonymous: bool = False
