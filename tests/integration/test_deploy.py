"""deploy/ and the workflow: each file fits its schema, and agrees with the API and the others."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.conftest import SECRET
from tests.contract.reading import OPERATIONS
from tests.integration.server import REPOSITORY, SERVING, TODO
from tests.servers.dockerfile import instructions
from tests.servers.programs import require
from todo.cli.main import COMMANDS
from todo.settings.settings import Settings
from todo.settings.variable import variables

DEPLOY = REPOSITORY / "deploy"
WORKFLOW = REPOSITORY / ".github" / "workflows" / "ci.yml"
COMPOSE = DEPLOY / "compose.yaml"
UNITS = ("todo-api.service", "todo-purge.service", "todo-purge.timer")
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
KUBERNETES = "1.30"
SETTINGS = {variable.name for variable in variables(Settings)}
VARIABLE = re.compile(r"\$\{(\w+):[?-][^}]*\}")
"""What compose puts a variable of the operator's in place of."""
EXPOSURE = 2.0
"""What `systemd-analyze security` gives at most; it calls 2 and less OK, and 10 dangerous."""


def resources() -> Iterator[dict[str, Any]]:
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text())


RESOURCES = {f"{one['kind']} {one['metadata']['name']}": one for one in resources()}


def check_schema(schema: str, path: Path) -> None:
    """Hold a file against a schema that `check-jsonschema` brings along."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def pods() -> dict[str, dict[str, Any]]:
    """The pods of all manifests, by the name of what makes them."""
    found = {}
    for name, one in RESOURCES.items():
        spec = one.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            found[name] = spec["template"]
    return found


def test_workflow_fits_githubs_schema_and_runs_what_everybody_runs():
    check_schema("vendor.github-workflows", WORKFLOW)
    [job] = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
    run = job["steps"][-1]["run"]

    assert run == ".ci/run"
    assert os.access(REPOSITORY / run, os.X_OK)


def test_compose_fits_its_schema():
    check_schema("vendor.compose-spec", COMPOSE)


def test_compose_gives_each_command_what_the_settings_take():
    given = {"POSTGRES_PASSWORD": "0123abcd", "BETTER_AUTH_URL": "https://app.example.com"}
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    ours = {name: one for name, one in services.items() if one["image"] == "todo-api"}

    assert set(ours) == {"migrate", "api", "purge"}
    for one in ours.values():
        assert one["command"][0] in COMMANDS
        settings = Settings.from_env(
            {
                name: VARIABLE.sub(lambda found: given.get(found[1], ""), text)
                for name, text in one["environment"].items()
            }
        )
        assert settings.database_url == "postgresql://todo:0123abcd@database/todo?sslmode=disable"
        assert set(one["environment"]) <= SETTINGS
        assert (COMPOSE.parent / one["build"]["context"]).resolve() == REPOSITORY
        assert (REPOSITORY / one["build"]["dockerfile"]).is_file()
    for one in services.values():
        assert set(one.get("depends_on", {})) <= set(services)


@pytest.mark.parametrize("name", RESOURCES)
def test_manifest_fits_the_schema_of_kubernetes(name: str):
    kubernetes_validate.validate(RESOURCES[name], KUBERNETES, strict=True)


def test_schema_of_kubernetes_refuses_what_does_not_fit():
    broken = {**RESOURCES["Service todo-api"], "spec": {"prots": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, KUBERNETES, strict=True)


@pytest.mark.parametrize("name", pods())
def test_pod_is_not_root_and_has_its_settings_and_a_command(name: str):
    spec = pods()[name]["spec"]
    [container] = spec["containers"]

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["args"][0] in COMMANDS
    assert container["envFrom"] == [
        {"configMapRef": {"name": "todo-api"}},
        {"secretRef": {"name": "todo-api"}},
    ]
    assert set(RESOURCES["ConfigMap todo-api"]["data"]) <= SETTINGS
    images = {pod["spec"]["containers"][0]["image"] for pod in pods().values()}
    assert images == {container["image"]}


def test_probes_ask_what_the_contract_has_at_the_port_of_the_image():
    [container] = pods()["Deployment todo-api"]["spec"]["containers"]
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("liveness", "readiness")}

    assert probes == {
        "liveness": {"path": "/livez", "port": "http"},
        "readiness": {"path": "/readyz", "port": "http"},
    }
    assert {"/livez", "/readyz"} <= {operation.path for operation in OPERATIONS}
    assert container["startupProbe"]["httpGet"] == probes["liveness"]
    [exposed] = [rest for name, rest in instructions(dockerfile()) if name == "EXPOSE"]
    assert container["ports"] == [{"name": "http", "containerPort": int(exposed)}]
    assert f"PORT={exposed}" in dockerfile()


def test_service_autoscaler_and_budget_are_about_the_deployments_pods():
    labels = pods()["Deployment todo-api"]["metadata"]["labels"]
    selectors = [
        RESOURCES["Service todo-api"]["spec"]["selector"],
        RESOURCES["Deployment todo-api"]["spec"]["selector"]["matchLabels"],
        RESOURCES["PodDisruptionBudget todo-api"]["spec"]["selector"]["matchLabels"],
    ]
    target = RESOURCES["HorizontalPodAutoscaler todo-api"]["spec"]["scaleTargetRef"]

    assert selectors == [labels] * 3
    assert f"{target['kind']} {target['name']}" in RESOURCES
    others = [pod for name, pod in pods().items() if name != "Deployment todo-api"]
    assert all(pod["metadata"]["labels"] != labels for pod in others)


def dockerfile() -> str:
    return (DEPLOY / "Dockerfile").read_text()


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, which start this checkout's program."""
    folder = tmp_path / "units"
    shutil.copytree(DEPLOY / "systemd", folder)
    for name in UNITS:
        text = (folder / name).read_text().replace("/opt/todo/bin/todo", TODO)
        (folder / name).write_text(text)
    return folder


def analyze(units: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    [program] = require("systemd-analyze")
    return subprocess.run(
        [program, "--no-pager", *arguments],
        cwd=units,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_systemd_finds_nothing_wrong_with_the_units(units: Path):
    done = analyze(units, "verify", *(f"./{name}" for name in UNITS))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_says_what_is_wrong_with_a_unit(units: Path):
    common = units / "todo-.service.d" / "common.conf"
    common.write_text(f"{common.read_text()}Nonsense=1\n")

    assert "Unknown key" in analyze(units, "verify", *(f"./{name}" for name in UNITS)).stderr


@pytest.mark.parametrize("unit", UNITS[:2])
def test_services_are_exposed_to_little(units: Path, unit: str):
    said = analyze(units, "security", "--offline=true", f"./{unit}").stdout
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)

    assert found is not None, said
    assert float(found[1]) <= EXPOSURE


def test_units_set_what_the_settings_know():
    text = (DEPLOY / "systemd" / "todo-.service.d" / "common.conf").read_text()

    assert set(re.findall(r"^Environment=(\w+)=", text, re.MULTILINE)) <= SETTINGS


def test_server_tells_systemd_that_it_is_ready(serving, new_database, tmp_path):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(60)
        url = new_database("sqlite")
        settings = {"DATABASE_URL": url, "BETTER_AUTH_SECRET": SECRET, "NOTIFY_SOCKET": address}
        serving(command=SERVING, **settings)

        assert b"READY=1" in listener.recv(1024)
