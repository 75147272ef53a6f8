"""The Kubernetes manifests as their tests read them: raw, as kustomize renders them, and checked by the schemas."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.reach.external_tools import ROOT, from_go, from_pip, run_with

FOLDER = ROOT / "orchestration" / "kubernetes"
CONFIG = FOLDER / "base" / "config"
# The schemas that the project publishes, from Kubernetes' own OpenAPI documents, are in this package.
SCHEMAS, KUBERNETES = "kubernetes-validate==1.37.0", "1.37.0"
KUSTOMIZE, KUSTOMIZE_VERSION = "sigs.k8s.io/kustomize/kustomize/v5", "v5.7.1"
CHECK = f"""
import json, sys
import kubernetes_validate
for document in json.load(sys.stdin):
    try:
        kubernetes_validate.validate(document, "{KUBERNETES}", strict=True)
        print("valid")
    except Exception as error:
        print(type(error).__name__, getattr(error, "message", error))
"""


@cache
def rendered() -> tuple[dict[str, Any], ...]:
    """What `kubectl apply -k base` sends: kustomize is in kubectl, and a program of its own here."""
    program = from_go(KUSTOMIZE, KUSTOMIZE_VERSION) / "kustomize"
    done = subprocess.run([str(program), "build", str(FOLDER / "base")], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


@cache
def documents() -> tuple[dict[str, Any], ...]:
    """Every manifest: rendered ones, the Job of a run by hand, the executors' pod."""
    more = [FOLDER / "run-once.yaml", CONFIG / "executor.yaml"]
    return (*rendered(), *(document for path in more for document in yaml.safe_load_all(path.read_text())))


def verdicts(*given: dict[str, Any]) -> list[str]:
    """`valid`, or what is wrong, of each document; fields that the schemas don't know are wrong."""
    return run_with(from_pip(SCHEMAS), CHECK, stdin=json.dumps(given, default=str))


@dataclass(frozen=True)
class Pod:
    """A pod that some manifest makes.

    Attributes:
        kind, name: of the manifest.
        labels, spec: of its pods.
    """

    kind: str
    name: str
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def container(self) -> dict[str, Any]:
        """Its one container."""
        [one] = self.spec["containers"]
        assert "initContainers" not in self.spec
        return dict(one)

    @property
    def environment(self) -> dict[str, Any]:
        """By name: the value, or where it comes from."""
        return {item["name"]: item.get("value", item.get("valueFrom")) for item in self.container.get("env", [])}


def pods() -> Iterator[Pod]:
    """Every pod of the manifests."""
    for document in documents():
        kind, metadata = document["kind"], document["metadata"]
        template = document
        if kind in ("Deployment", "StatefulSet", "Job"):
            template = document["spec"]["template"]
        elif kind == "CronJob":
            template = document["spec"]["jobTemplate"]["spec"]["template"]
        elif kind != "Pod":
            continue
        name = metadata.get("name") or metadata["generateName"]
        yield Pod(kind, name, template["metadata"]["labels"], template["spec"])


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    """Manifests of a kind, by name."""
    return {d["metadata"]["name"]: d for d in documents() if d["kind"] == kind and "name" in d["metadata"]}
