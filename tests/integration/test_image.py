"""deploy/Dockerfile: every step runs in a clean folder, and what it makes serves."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Caller
from tests.depth import ONLY_IN_CI
from tests.integration.server import REPOSITORY, Server
from tests.servers.dockerfile import Image, build, copied, instructions, taken
from tests.servers.programs import require

pytestmark = ONLY_IN_CI

DOCKERFILE = REPOSITORY / "deploy" / "Dockerfile"
STOP_SECONDS = 60
LOCK = REPOSITORY / "requirements.lock"
PIN = re.compile(r"^([\w.-]+)(?:\[\S+\])?==([^\s;]+)", re.MULTILINE)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image, built by its own steps."""
    require("sh")
    return build(DOCKERFILE, REPOSITORY, tmp_path_factory.mktemp("image"))


def run_in(image: Image, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a container of the image would."""
    env = image.environment(**variables)
    return subprocess.run(
        [str(image.root / "opt" / "todo" / "bin" / command[0]), *command[1:]],
        cwd=image.workdir,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> set[tuple[str, str]]:
    """Names with versions; the lock has two of what differs between releases of Python."""
    return {(normal(name), version) for name, version in PIN.findall(text)}


def test_every_step_runs_and_leaves_nothing_of_the_build_in_the_image(image: Image):
    steps = [rest for name, rest in instructions(DOCKERFILE.read_text()) if name == "RUN"]

    assert image.steps == steps
    assert {path.name for path in image.root.iterdir()} == {"usr", "opt", "data"}
    assert list((image.root / "data").iterdir()) == []


def test_image_has_the_versions_of_the_lock_and_the_wheel(image: Image):
    frozen = run_in(image, "pip", "freeze", "--exclude", "setuptools", "--exclude", "pip").stdout

    installed = pins(frozen)
    assert len(installed) > 20
    assert installed <= pins(LOCK.read_text())
    rest = [line for line in frozen.splitlines() if "==" not in line]
    assert [line.partition(" ")[0] for line in rest] == ["todo-api"]
    assert any("--require-hashes" in step for step in image.steps)


def test_context_has_what_is_copied_and_nothing_else():
    assert set(copied(DOCKERFILE)) == taken(DOCKERFILE.with_name("Dockerfile.dockerignore"))


def test_image_is_no_roots_and_owns_its_data_alone(image: Image):
    assert re.fullmatch(r"[1-9]\d{4,}:[1-9]\d{4,}", image.user)
    assert {path: owner for path, owner in image.owners.items() if owner != "root"} == {
        "/data": image.user
    }


def test_image_serves_and_its_health_is_what_the_server_says(image: Image, serving):
    server: Server = serving(cwd=image.workdir, command=in_place(image), **image.environment())
    port = {"PORT": str(server.port)}
    check = image.commands["HEALTHCHECK"]
    register = {"email": "alice@example.com", "password": "correct horse"}

    account = server.client.post("/api/auth/register", json=register).json()
    task = Caller(server.client, account["user"]["id"], account["token"]).create()
    healthy = run_in(image, *check, **port)
    assert server.process.stop(timeout=STOP_SECONDS) == 0
    gone = run_in(image, *check, **port)

    assert task["title"] == "Buy milk"
    assert (healthy.returncode, healthy.stderr) == (0, "")
    assert gone.returncode != 0
    assert (image.root / "data" / "todo.db").exists()


def in_place(image: Image) -> list[str]:
    """What the container starts, found by its own PATH."""
    program, *arguments = image.start
    [found] = [
        path
        for folder in image.environment()["PATH"].split(":")
        if (path := Path(folder) / program).exists()
    ][:1]
    assert found.is_relative_to(image.root)
    return [str(found), *arguments]
