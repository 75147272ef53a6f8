"""What Spark and the metastore need to reach a lake or warehouse in a store: jars, settings, the committer.

Sources: https://hadoop.apache.org/docs/r3.4.2/hadoop-aws/tools/hadoop-aws/index.html and
committers.html there; https://spark.apache.org/docs/latest/cloud-integration.html;
https://github.com/GoogleCloudDataproc/hadoop-connectors (CONFIGURATION.md).
Credentials are in none of them: each JVM takes them from its environment or the provider's own chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.spark.jars import artifact

# By scheme, the packages that bring its file system. They are large, so nobody has them by default.
PACKAGES = {
    "s3a": (
        "org.apache.hadoop:hadoop-aws:3.4.2@jar",
        "software.amazon.awssdk:bundle:2.29.52@jar",
        "org.apache.spark:spark-hadoop-cloud_2.13:4.1.2@jar",
    ),
    "gs": (
        "com.google.cloud.bigdataoss:gcs-connector:hadoop3-2.2.28:shaded@jar",
        "org.apache.spark:spark-hadoop-cloud_2.13:4.1.2@jar",
    ),
    "hdfs": (),
}
SIZES = {"s3a": "about 640 MB", "gs": "about 40 MB"}
DYNAMODB = "io.delta.storage.S3DynamoDBLogStore"
LOG_STORE = "spark.delta.logStore.s3a.impl"


def require_jars(settings: Settings, jars: Sequence[Path]) -> None:
    """Refuse to start a server that can't reach its lake or warehouse.

    Raises:
        PenstockError: names the packages to add.
    """
    there = {artifact(jar.name) for jar in jars}
    for scheme in sorted(settings.schemes):
        lacking = [package for package in PACKAGES[scheme] if not any(_brings(name, package) for name in there)]
        if lacking:
            section = f"targets.{settings.target}.server.packages" if settings.target else "server.packages"
            raise PenstockError(
                f"the jars that read and write {scheme}:// ({SIZES[scheme]})",
                f"server.packages without {', '.join(lacking)}",
                f"add them beside {', '.join(settings.server.packages) or 'the table format'} to {section} "
                "in penstock.yml; they are downloaded once",
            )


def _brings(jar: str, package: str) -> bool:
    """Whether a jar's name is that of a package: `gcs-connector-hadoop3` is one of `gcs-connector`."""
    name = package.split(":")[1]
    return jar == name or jar.startswith(f"{name}-")


def hadoop(settings: Settings) -> dict[str, str]:
    """Hadoop's settings for the stores, which the metastore needs too: it makes the schemas' folders."""
    made: dict[str, str] = {}
    if "s3a" in settings.schemes:
        made |= _s3a(settings)
    if "gs" in settings.schemes:
        made |= _gs(settings)
    return made


def _s3a(settings: Settings) -> dict[str, str]:
    store = settings.store
    chain = (
        # What Spark hands on to its executors from AWS_ACCESS_KEY_ID and its like.
        "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider",
        "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
        # Amazon's own: environment, web identity, profile, container, instance.
        "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider",
    )
    provider = ("org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider",) if store.anonymous else chain
    made = {
        "fs.s3a.aws.credentials.provider": ",".join(provider),
        # No rename in S3: tasks upload, and the job's commit completes the uploads.
        "fs.s3a.committer.name": "magic",
        "mapreduce.outputcommitter.factory.scheme.s3a": "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory",
        "fs.s3a.buffer.dir": str(settings.state_dir / "tmp" / "s3a"),
    }
    if not settings.server.master.startswith("local"):
        del made["fs.s3a.buffer.dir"]  # a folder of this machine; executors have their own
    if store.region:
        made["fs.s3a.endpoint.region"] = store.region
    if store.endpoint:
        made |= {
            "fs.s3a.endpoint": store.endpoint,
            "fs.s3a.path.style.access": "true",
            "fs.s3a.connection.ssl.enabled": str(store.endpoint.startswith("https:")).lower(),
        }
    return made


def _gs(settings: Settings) -> dict[str, str]:
    # Names of connector 2.2; without them it takes GOOGLE_APPLICATION_CREDENTIALS or the machine's account.
    store = settings.store
    made = {
        "fs.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem",
        "fs.AbstractFileSystem.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFS",
        # A folder's rename is many copies in GCS: a task's files are listed in a manifest, and the job renames those.
        "mapreduce.outputcommitter.factory.scheme.gs": (
            "org.apache.hadoop.mapreduce.lib.output.committer.manifest.ManifestCommitterFactory"
        ),
    }
    if store.anonymous:
        made |= {"fs.gs.auth.null.enable": "true", "fs.gs.auth.service.account.enable": "false"}
    if store.endpoint:
        made["fs.gs.storage.root.url"] = f"{store.endpoint}/"
    return made


def spark(settings: Settings) -> dict[str, str]:
    """Spark's settings for the stores."""
    made = {f"spark.hadoop.{key}": value for key, value in hadoop(settings).items()}
    if {"s3a", "gs"} & settings.schemes:
        made |= {
            "spark.sql.sources.commitProtocolClass": "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol",
            "spark.sql.parquet.output.committer.class": (
                "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter"
            ),
        }
    return made


def needs_lease(settings: Settings) -> bool:
    """Whether Delta's rule of one writing driver has to be kept by us: on S3, without a log store that coordinates."""
    return settings.warehouse.startswith("s3a://") and settings.server.spark_conf.get(LOG_STORE) != DYNAMODB
