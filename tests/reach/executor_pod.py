"""The executor's pod as Spark itself builds it from settings, without an API server: JSON on standard output.

Called as `executor_pod.py FILE JAVA`, a JSON mapping of Spark's settings and a program. What a driver with
a k8s:// master sends is made by these classes (org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBuilder).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyspark
from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway

home = Path(pyspark.__file__).parent
port, token, process = launch_gateway(
    jarpath=str(next((home / "jars").glob("py4j-*.jar"))),
    classpath=str(home / "jars" / "*"),
    javaopts=["-Xmx512m", "--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED"],
    java_path=sys.argv[2],
    die_on_exit=True,
    enable_auth=True,
    return_proc=True,
)
gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token))
jvm: Any = gateway.jvm
spark = jvm.org.apache.spark


def singleton(package: Any, name: str) -> Any:
    """A Scala object."""
    return getattr(getattr(package, f"{name}$"), "MODULE$")


try:
    conf = spark.SparkConf(False)
    for key, value in json.loads(Path(sys.argv[1]).read_text()).items():
        conf.set(key, value)
    none = jvm.scala.Option.empty()
    security = spark.SecurityManager(conf, none, singleton(spark.internal.config, "package").AUTH_SECRET_FILE())
    security.initializeAuth()
    profile = singleton(spark.resource, "ResourceProfile").getOrCreateDefaultProfile(conf)
    kubernetes = singleton(spark.deploy.k8s, "KubernetesConf")
    wanted = kubernetes.createExecutorConf(conf, "1", "spark-application", none, profile.id())
    client = jvm.io.fabric8.kubernetes.client.KubernetesClientBuilder().build()
    builder = spark.scheduler.cluster.k8s.KubernetesExecutorBuilder()
    built = builder.buildFromFeatures(wanted, security, client, profile).pod()
    serial = jvm.io.fabric8.kubernetes.client.utils.Serialization
    pod, container = json.loads(serial.asJson(built.pod())), json.loads(serial.asJson(built.container()))
    pod["spec"]["containers"] = [*pod["spec"].get("containers", []), container]
    print(json.dumps(pod))
finally:
    gateway.shutdown()
    process.terminate()  # its Kubernetes client has threads that go on
    process.wait(30)
