"""The Kubernetes manifests, without a cluster: every name leads somewhere, and nothing is granted needlessly."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from core.settings import Settings
from ops.cli import COMMANDS

FOLDER = Path(__file__).parents[2] / "deploy/kubernetes"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
APPLIED: list[dict[str, Any]] = [
    document for name in KUSTOMIZATION["resources"] for document in yaml.safe_load_all((FOLDER / name).read_text())
]
EXAMPLE: dict[str, Any] = yaml.safe_load((FOLDER / "secrets.example.yaml").read_text())
PODS: dict[str, dict[str, Any]] = {
    one["metadata"]["name"]: one["spec"]["template"] for one in APPLIED if one["kind"] in {"Deployment", "Job"}
}


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in APPLIED if one["kind"] == kind}


def container(pod: str) -> dict[str, Any]:
    (only,) = PODS[pod]["spec"]["containers"]
    return dict(only)


@pytest.fixture(params=PODS)
def pod(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_file_is_applied_but_the_example_of_secrets() -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml", "secrets.example.yaml"} == set(
        KUSTOMIZATION["resources"]
    )
    assert {image["name"] for image in KUSTOMIZATION["images"]} == {container(pod)["image"] for pod in PODS}


def test_there_is_a_pod_for_each_of_our_processes_and_its_command_exists(pod: str) -> None:
    assert set(PODS) == {"parking-migrate", "parking-ingest", "parking-worker", "parking-api"}
    assert container(pod)["args"][0] in COMMANDS


def test_what_stands_by_has_somebody_to_stand_by_for() -> None:
    deployments = of_kind("Deployment")
    assert deployments["parking-ingest"]["spec"]["replicas"] == deployments["parking-worker"]["spec"]["replicas"] == 2
    scaler = of_kind("HorizontalPodAutoscaler")["parking-api"]["spec"]
    assert scaler["scaleTargetRef"]["name"] == "parking-api"
    assert "replicas" not in deployments["parking-api"]["spec"], "the scaler says how many"


def test_every_variable_is_a_setting_and_every_secret_is_one_of_the_example(pod: str) -> None:
    shared = of_kind("ConfigMap")["parking-settings"]["data"]
    own = {variable["name"]: variable["value"] for variable in container(pod)["env"]}
    for name, value in (shared | own).items():
        assert name.removesuffix("_FILE").removeprefix("PARKING_").lower() in Settings.model_fields, name
        if name.endswith("_FILE"):
            folder, _, key = value.rpartition("/")
            assert key in EXAMPLE["stringData"], value
            assert folder in {mount["mountPath"] for mount in container(pod)["volumeMounts"]}
    taken = [source["configMapRef"]["name"] for source in container(pod)["envFrom"] if "configMapRef" in source]
    assert taken == ["parking-settings"]


def test_a_merchants_keys_reach_who_takes_money() -> None:
    takers = {pod for pod in PODS if any("secretRef" in source for source in container(pod)["envFrom"])}
    assert takers == {"parking-worker", "parking-api"}


def test_every_volume_is_declared_and_every_claim_exists(pod: str) -> None:
    volumes = {volume["name"]: volume for volume in PODS[pod]["spec"]["volumes"]}
    assert {mount["name"] for mount in container(pod)["volumeMounts"]} == set(volumes)
    assert volumes["secrets"]["secret"]["secretName"] == EXAMPLE["metadata"]["name"]
    if claim := volumes.get("photos"):
        assert claim["persistentVolumeClaim"]["claimName"] in of_kind("PersistentVolumeClaim")


def test_every_selector_finds_a_pod_and_every_port_is_one_of_its() -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in PODS.items()}
    for name, one in of_kind("Deployment").items():
        assert one["spec"]["selector"]["matchLabels"] == labels[name]
    service = of_kind("Service")["parking-api"]["spec"]
    assert service["selector"] == labels["parking-api"]
    ports = {port["name"]: port["containerPort"] for port in container("parking-api")["ports"]}
    assert {port["targetPort"] for port in service["ports"]} <= set(ports)
    assert str(ports["http"]) in {variable["value"] for variable in container("parking-api")["env"]}
    (rule,) = of_kind("Ingress")["parking-api"]["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert path["backend"]["service"] == {"name": "parking-api", "port": {"name": service["ports"][0]["name"]}}
    for policy in of_kind("NetworkPolicy").values():
        wanted = policy["spec"]["podSelector"].get("matchLabels", {}).items()
        assert any(wanted <= labels[name].items() for name in labels)


def test_what_runs_on_is_asked_whether_it_lives(pod: str) -> None:
    if pod == "parking-migrate":
        return
    probes = [container(pod)[kind]["httpGet"] for kind in ("startupProbe", "livenessProbe")]
    ports = {port["name"] for port in container(pod)["ports"]}
    assert {probe["port"] for probe in probes} <= ports
    expected = "/health/live" if pod == "parking-api" else "/metrics"
    assert {probe["path"] for probe in probes} == {expected}


def test_our_pods_may_do_as_little_as_possible(pod: str) -> None:
    spec = PODS[pod]["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert not spec["automountServiceAccountToken"]
    assert container(pod)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container(pod)["resources"]["limits"]["memory"]


def test_a_caller_always_comes_to_the_same_api_and_its_stream_is_not_buffered() -> None:
    said = of_kind("Ingress")["parking-api"]["metadata"]["annotations"]
    assert said["nginx.ingress.kubernetes.io/upstream-hash-by"] == "$remote_addr"
    assert said["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
