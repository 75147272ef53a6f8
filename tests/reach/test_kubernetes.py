"""The Kubernetes manifests: valid, closed, and of one piece with the image, the settings and the commands."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.config.settings import load
from penstock.spark import java
from penstock.spark.server import configuration
from tests.reach.external_tools import ROOT
from tests.reach.manifests import CONFIG, FOLDER, Pod, documents, of_kind, pods, rendered, verdicts

LONG_RUNNING = ("Deployment", "StatefulSet")
SECRET = re.compile(r"PASSWORD|TOKEN|SECRET|USER|URL|KEY")


@pytest.fixture(scope="module", params=("server", "run"))
def target(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _pod(name: str) -> Pod:
    [found] = [pod for pod in pods() if pod.name == name]
    return found


def _memory(text: str) -> int:
    """Mebibytes of Kubernetes' or Java's notation."""
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi|m|g)", text).groups()  # type: ignore[union-attr]
    return int(number) * (1024 if unit in ("Gi", "g") else 1)


def test_every_manifest_is_valid_by_the_published_schemas() -> None:
    found = dict(zip([f"{d['kind']} {d['metadata']}" for d in documents()], verdicts(*documents()), strict=True))
    assert len(found) >= 20
    assert {what: verdict for what, verdict in found.items() if verdict != "valid"} == {}


def test_every_file_of_base_is_applied() -> None:
    named = yaml.safe_load((FOLDER / "base" / "kustomization.yaml").read_text())["resources"]
    assert sorted(named) == sorted(p.name for p in (FOLDER / "base").glob("*.yaml") if p.name != "kustomization.yaml")


def test_a_broken_copy_is_refused() -> None:
    """An unknown field, a wrong type, a field that has to be there, a kind that isn't one."""
    server = of_kind("StatefulSet")["penstock-server"]
    unknown, wrong, lacking, kind = (copy.deepcopy(server) for _ in range(4))
    unknown["spec"]["template"]["spec"]["securityContext"]["runAsNonRooot"] = True
    wrong["spec"]["replicas"] = "one"
    del lacking["spec"]["selector"]
    kind["kind"] = "StatefullSet"
    found = verdicts(server, unknown, wrong, lacking, kind)
    assert found[0] == "valid"
    assert "runAsNonRooot" in found[1]
    assert "'one'" in found[2]
    assert "selector" in found[3]
    assert "StatefullSet" in found[4]


def _assert_closed(pod: Pod) -> None:
    """Requests and limits, no rights, nothing of the node, and nothing written but on volumes."""
    inside, container = pod.spec["securityContext"], pod.container
    assert inside["runAsNonRoot"] is True and inside["runAsUser"] >= 10000
    assert inside["seccompProfile"] == {"type": "RuntimeDefault"}
    allowed = container["securityContext"]
    assert allowed["allowPrivilegeEscalation"] is False and allowed["readOnlyRootFilesystem"] is True
    assert allowed["capabilities"] == {"drop": ["ALL"]}
    assert "privileged" not in allowed and not {"hostNetwork", "hostPID", "hostIPC"} & set(pod.spec)
    for part in ("requests", "limits"):
        assert {"cpu", "memory", "ephemeral-storage"} <= set(container["resources"][part])
    assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]
    volumes = {volume["name"]: volume for volume in pod.spec["volumes"]}
    assert not any("hostPath" in volume for volume in volumes.values())
    assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)


@pytest.mark.parametrize("number", range(5))
def test_every_container_has_requests_limits_and_no_rights(number: int) -> None:
    pod = list(pods())[number]
    _assert_closed(pod)
    assert all("sizeLimit" in v["emptyDir"] for v in pod.spec["volumes"] if "emptyDir" in v)


def test_pods_of_every_kind_were_looked_at() -> None:
    assert sorted(pod.kind for pod in pods()) == ["CronJob", "Deployment", "Job", "Pod", "StatefulSet"]
    namespace = of_kind("Namespace")["penstock"]["metadata"]["labels"]
    assert namespace["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_executors_pod_that_spark_builds_is_valid_and_closed(tmp_path: Path, target: str) -> None:
    """By Spark's own classes, from the settings and the template: what a driver sends to the API server."""
    settings = _settings(tmp_path, target)
    conf = configuration.spark_defaults(settings, settings.server.ports, "token", [Path("/opt/one.jar")])
    conf["spark.kubernetes.executor.podTemplateFile"] = str(CONFIG / "executor.yaml")
    (tmp_path / "conf.json").write_text(json.dumps(conf))
    program = [sys.executable, str(Path(__file__).parent / "executor_pod.py"), str(tmp_path / "conf.json")]
    done = subprocess.run([*program, str(java.find(None).executable)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    built = json.loads(done.stdout)
    assert verdicts(built) == ["valid"]
    pod = Pod("Pod", "built", built["metadata"]["labels"], built["spec"])
    _assert_closed(pod)
    template = _pod("penstock-executor")
    assert template.labels.items() <= pod.labels.items()
    # What the template says is what Spark asks for: heap and overhead.
    limits, template_limits = pod.container["resources"]["limits"], template.container["resources"]["limits"]
    assert (_memory(limits["memory"]), limits["cpu"]) == (_memory(template_limits["memory"]), template_limits["cpu"])
    environment = pod.environment
    assert environment["SPARK_DRIVER_URL"] == f"spark://CoarseGrainedScheduler@{conf['spark.driver.host']}:7078"
    assert environment["SPARK_CLASSPATH"] == "/opt/one.jar"
    assert len(environment["_SPARK_AUTH_SECRET"]) >= 32
    # The token of Connect stays with the driver.
    assert "-Dspark.connect.authenticate.token" not in json.dumps(built)
    # Each variable that the entry point reads is there.
    read = set(
        re.findall(r"\$(SPARK_\w+)", (FOLDER / "entrypoint.sh").read_text().split("executor)")[1].split(";;")[0])
    )
    assert read - {"SPARK_HOME"} <= set(environment)


def test_what_runs_long_has_probes_and_runs_end() -> None:
    for pod in pods():
        probes = {"startupProbe", "readinessProbe", "livenessProbe"} & set(pod.container)
        if pod.kind in LONG_RUNNING:
            names = {port["name"] for port in pod.container["ports"]}
            assert len(probes) == 3 and all(pod.container[p]["tcpSocket"]["port"] in names for p in probes), pod.name
        else:
            assert not probes, pod.name
    monthly = of_kind("CronJob")["penstock-monthly"]["spec"]
    [once] = [d["spec"] for d in documents() if d["kind"] == "Job"]
    assert monthly["concurrencyPolicy"] == "Forbid"
    assert monthly["jobTemplate"]["spec"] == once
    assert once["backoffLimit"] >= 1 and once["activeDeadlineSeconds"] > 0
    assert once["template"]["spec"]["restartPolicy"] == "Never"


def test_no_secret_stands_in_the_files() -> None:
    assert not of_kind("Secret")
    for pod in pods():
        for name, value in pod.environment.items():
            if SECRET.search(name):
                assert set(value) == {"secretKeyRef"}, f"{pod.name}: {name}"
    for document in [d for d in rendered() if d["kind"] == "ConfigMap"]:
        for name, text in document["data"].items():
            assert not re.search(r"(?i)(password|\btoken|secret)[\w.]*\s*[:=]\s*\S", text), name
    site = (CONFIG / "hive-site.xml").read_text()
    for key in ("ConnectionURL", "ConnectionUserName", "ConnectionPassword"):
        assert re.search(rf"{key}</name><value>\$\{{env\.METASTORE_\w+\}}</value>", site), key


def test_every_name_that_is_referred_to_is_there() -> None:
    accounts, claims, maps = of_kind("ServiceAccount"), of_kind("PersistentVolumeClaim"), of_kind("ConfigMap")
    for pod in pods():
        for volume in pod.spec["volumes"]:
            assert volume.get("persistentVolumeClaim", {"claimName": "penstock-data"})["claimName"] in claims
            assert volume.get("configMap", {"name": "penstock-config"})["name"] in maps
        for mount in pod.container["volumeMounts"]:
            if "subPath" in mount:
                assert mount["subPath"] in maps["penstock-config"]["data"]
        assert pod.spec.get("serviceAccountName", "penstock-driver") in accounts
        # Only what asks the API server for executors has a token for it.
        assert pod.spec["automountServiceAccountToken"] is ("penstock/driver" in pod.labels), pod.name
    assert {item["metadata"]["namespace"] for item in rendered() if item["kind"] != "Namespace"} == {"penstock"}
    [binding] = of_kind("RoleBinding").values()
    assert binding["roleRef"]["name"] in of_kind("Role")
    assert [subject["name"] for subject in binding["subjects"]] == ["penstock-driver"]
    [rules] = [role["rules"] for role in of_kind("Role").values()]
    assert all("*" not in [*rule["verbs"], *rule["resources"], *rule["apiGroups"]] for rule in rules)


def _selected(selector: dict[str, str]) -> set[str]:
    return {pod.name for pod in pods() if selector.items() <= pod.labels.items()}


def test_services_and_policies_select_pods_that_are_there() -> None:
    drivers = {"penstock-server", "penstock-monthly", "penstock-run-"}
    services = {name: _selected(item["spec"]["selector"]) for name, item in of_kind("Service").items()}
    assert services == {
        "penstock-metastore": {"penstock-metastore"},
        "penstock-server": {"penstock-server"},
        "penstock-drivers": drivers,
    }
    everything = {pod.name for pod in pods()}
    policies = of_kind("NetworkPolicy")
    assert {name: _selected(item["spec"]["podSelector"]["matchLabels"]) for name, item in policies.items()} == {
        "penstock-closed": everything,
        "penstock-metastore": {"penstock-metastore"},
        "penstock-readers": {"penstock-server"},
        "penstock-drivers": drivers,
        "penstock-executors": {"penstock-executor"},
    }
    closed = policies["penstock-closed"]["spec"]
    assert "ingress" not in closed and "Ingress" in closed["policyTypes"]
    # Nobody is let in without being named.
    assert all(rule.get("from") for item in policies.values() for rule in item["spec"].get("ingress", []))
    budget = of_kind("PodDisruptionBudget")["penstock-run"]["spec"]
    assert _selected(budget["selector"]["matchLabels"]) == {"penstock-monthly", "penstock-run-"}


def _settings(tmp_path: Path, target: str) -> Any:
    (tmp_path / "dbt_project.yml").write_text((ROOT / "dbt_project.yml").read_text())
    for name in ("penstock.yml", "profiles.yml"):
        (tmp_path / name).write_text(of_kind("ConfigMap")["penstock-config"]["data"][name])
    return load(tmp_path, target)


def test_the_settings_are_penstocks_and_fit_the_pods(tmp_path: Path, target: str) -> None:
    settings = _settings(tmp_path, target)
    conf = configuration.spark_defaults(settings, settings.server.ports, "token", [])
    pod = _pod("penstock-server" if target == "server" else "penstock-monthly")
    # Executors call the driver by a name that the headless service gives.
    if target == "server":
        served = of_kind("StatefulSet")["penstock-server"]["spec"]
        name = f"{served['template']['spec'].get('hostname', 'penstock-server-0')}.{served['serviceName']}"
        assert conf["spark.kubernetes.driver.pod.name"] == "penstock-server-0"
        assert settings.server.bind == "0.0.0.0"
    else:
        name = f"{pod.spec['hostname']}.{pod.spec['subdomain']}"
        assert settings.server.bind == conf["spark.connect.grpc.binding.address"] == "127.0.0.1"
    assert conf["spark.driver.host"] == name and conf["spark.driver.bindAddress"] == "0.0.0.0"
    assert of_kind("Service")[name.split(".")[1]]["spec"]["clusterIP"] == "None"

    ports = {port["name"]: port["containerPort"] for port in pod.container["ports"]}
    assert ports["driver"] == int(conf["spark.driver.port"]) and ports["blocks"] == int(conf["spark.blockManager.port"])
    [opened] = of_kind("NetworkPolicy")["penstock-drivers"]["spec"]["ingress"]
    assert all(p["port"] <= min(ports["driver"], ports["blocks"]) < p["endPort"] for p in opened["ports"])
    if target == "server":
        assert (ports["thrift"], ports["connect"]) == (settings.server.ports.thrift, settings.server.ports.connect)
    metastore = of_kind("Service")["penstock-metastore"]
    address = f"thrift://penstock-metastore:{metastore['spec']['ports'][0]['port']}"
    assert settings.metastore == conf["spark.hadoop.hive.metastore.uris"] == address

    # Everything that is written lies on a volume.
    mounts = {mount["mountPath"] for mount in pod.container["volumeMounts"] if not mount.get("readOnly")}
    for path in (str(settings.warehouse_dir), str(settings.lake_dir), str(settings.state_dir)):
        assert any(path.startswith(f"{mount}/") for mount in mounts), path
    assert str(settings.shared_dir) == "/opt/penstock/state"
    # A heap, and as much again as half of it, or a quarter for an executor: Spark asks for a tenth at least.
    assert _memory(pod.container["resources"]["limits"]["memory"]) >= 1.5 * _memory(settings.server.memory)
    executor = _pod("penstock-executor").container
    assert _memory(executor["resources"]["limits"]["memory"]) >= 1.1 * _memory(settings.server.executors.memory)
    assert conf["spark.kubernetes.executor.podTemplateFile"] == "/etc/penstock/executor.yaml"
    images = {pod.container["image"] for pod in pods()}
    assert images == {conf["spark.kubernetes.container.image"]}
