"""Jars, Hadoop settings and committers with which Spark and the metastore use an object store or HDFS.

The settings contain no credentials. Each JVM gets its credentials from its environment or from the provider's default
chain.

Sources: https://hadoop.apache.org/docs/r3.4.2/hadoop-aws/tools/hadoop-aws/index.html and
committers.html in the same folder; https://spark.apache.org/docs/latest/cloud-integration.html;
https://github.com/GoogleCloudDataproc/hadoop-connectors (CONFIGURATION.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.spark.jars import artifact

# The packages with the file system of each URL scheme. They are large, so the default of server.packages lacks them.
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
    """Check that the jars include the file systems of the lake and the warehouse.

    Raises:
        PenstockError: a package is missing. The error names the packages to add.
    """
    artifacts = {artifact(jar.name) for jar in jars}
    for scheme in sorted(settings.schemes):
        missing = [package for package in PACKAGES[scheme] if not any(_is_from(name, package) for name in artifacts)]
        if missing:
            section = f"targets.{settings.target}.server.packages" if settings.target else "server.packages"
            raise PenstockError(
                f"the jars that read and write {scheme}:// ({SIZES[scheme]})",
                f"server.packages without {', '.join(missing)}",
                f"add them beside {', '.join(settings.server.packages) or 'the table format'} to {section} "
                "in penstock.yml; they are downloaded once",
                entry="the-jars-of-a-store-are-missing",
            )


def _is_from(artifact_name: str, package: str) -> bool:
    """Return whether a package contains an artifact: `gcs-connector` contains `gcs-connector-hadoop3`."""
    name = package.split(":")[1]
    return artifact_name == name or artifact_name.startswith(f"{name}-")


def hadoop_settings(settings: Settings) -> dict[str, str]:
    """Return Hadoop's settings for the stores. The metastore needs these settings to create the folders of schemas."""
    conf: dict[str, str] = {}
    if "s3a" in settings.schemes:
        conf |= _s3a_settings(settings)
    if "gs" in settings.schemes:
        conf |= _gs_settings(settings)
    return conf


def _s3a_settings(settings: Settings) -> dict[str, str]:
    store = settings.store
    chain = (
        # These two providers read AWS_ACCESS_KEY_ID and related variables, which Spark passes to its executors.
        "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider",
        "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
        # Amazon's default chain: environment, web identity, profile, container, instance.
        "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider",
    )
    provider = ("org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider",) if store.anonymous else chain
    conf = {
        "fs.s3a.aws.credentials.provider": ",".join(provider),
        # S3 has no rename. With this committer, tasks upload parts, and the job's commit completes the uploads.
        "fs.s3a.committer.name": "magic",
        "mapreduce.outputcommitter.factory.scheme.s3a": "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory",
        "fs.s3a.buffer.dir": str(settings.state_dir / "tmp" / "s3a"),
    }
    if not settings.server.master.startswith("local"):
        del conf["fs.s3a.buffer.dir"]  # executors on other machines lack this folder
    if store.region:
        conf["fs.s3a.endpoint.region"] = store.region
    if store.endpoint:
        conf |= {
            "fs.s3a.endpoint": store.endpoint,
            "fs.s3a.path.style.access": "true",
            "fs.s3a.connection.ssl.enabled": str(store.endpoint.startswith("https:")).lower(),
        }
    return conf


def _gs_settings(settings: Settings) -> dict[str, str]:
    # The keys are those of version 2.2 of the connector. By default, the connector uses GOOGLE_APPLICATION_CREDENTIALS
    # or the machine's service account.
    store = settings.store
    conf = {
        "fs.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem",
        "fs.AbstractFileSystem.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFS",
        # GCS renames a folder by copying each file. With this committer a task lists its files in a manifest, and the
        # job's commit renames only the listed files.
        "mapreduce.outputcommitter.factory.scheme.gs": (
            "org.apache.hadoop.mapreduce.lib.output.committer.manifest.ManifestCommitterFactory"
        ),
    }
    if store.anonymous:
        conf |= {"fs.gs.auth.null.enable": "true", "fs.gs.auth.service.account.enable": "false"}
    if store.endpoint:
        conf["fs.gs.storage.root.url"] = f"{store.endpoint}/"
    return conf


def spark_settings(settings: Settings) -> dict[str, str]:
    """Return Spark's settings for the object stores."""
    conf = {f"spark.hadoop.{key}": value for key, value in hadoop_settings(settings).items()}
    if {"s3a", "gs"} & settings.schemes:
        conf |= {
            "spark.sql.sources.commitProtocolClass": "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol",
            "spark.sql.parquet.output.committer.class": (
                "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter"
            ),
        }
    return conf


def needs_lease(settings: Settings) -> bool:
    """Return whether the warehouse needs a lease, see `warehouse_lease`: on S3, unless DynamoDB coordinates commits."""
    return settings.warehouse.startswith("s3a://") and settings.server.spark_conf.get(LOG_STORE) != DYNAMODB
