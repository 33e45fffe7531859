"""The wheel, installed alone, serves its own contract, docs and migrations."""

import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.conftest import SECRET, Caller
from tests.depth import ONLY_IN_CI
from tests.integration.server import REPOSITORY, Server, environment, run_todo
from todo.database import schema

pytestmark = ONLY_IN_CI

BUILD_SECONDS = 240
SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "todo", "openapi")
LICENSES = ("LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt")
IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the sources, so that nothing is left in the repository."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in SOURCES:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, source / name, ignore=IGNORED)
        elif (REPOSITORY / name).exists():
            shutil.copy(REPOSITORY / name, source / name)
    run(sys.executable, "-m", "build", "--wheel", "--outdir", str(target), str(source))
    [built] = target.iterdir()
    return built


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``todo`` of a fresh environment: the wheel, and what it says it depends on, as locked."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    # Without their hashes, or pip would want one of the wheel, too.
    # A constraint has no extras; the wheel asks for those itself.
    lock = re.sub(r"\[\S+\]==", "==", (REPOSITORY / "requirements.lock").read_text())
    pins = re.findall(r"^\S+==[^\\\n]+", lock, re.MULTILINE)  # with their markers
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pins))
    pip = (sys.executable, "-m", "pip", "--python", str(python))
    run(*pip, "install", "--constraint", str(constraints), str(wheel))
    return folder / "bin" / "todo"


def run(*command: str) -> None:
    """Run a command of the build to its end; its words are the failure's message."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def test_installed_package_is_the_wheel_and_not_the_repository(program, tmp_path):
    command = [program.with_name("python"), "-c", "import todo; print(todo.__file__)"]
    found = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment(tmp_path / "home"),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert Path(found.stdout.strip()).is_relative_to(program.parents[1])


def test_wheel_holds_contract_and_migrations_and_no_tests(wheel):
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "--list", wheel],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    files = {line.split()[0] for line in listed.stdout.splitlines()[1:]}
    ours = {name for name in files if ".dist-info/" not in name}

    kept = [("openapi", "*.yaml"), ("todo", "*.py")]
    kept += [(f"todo/handlers/{page}", "*") for page in ("demo", "docs", "swagger_ui")]
    for folder, pattern in kept:
        for path in (REPOSITORY / folder).rglob(pattern):
            name = str(path.relative_to(REPOSITORY))
            assert (f"todo/{name}" if folder == "openapi" else name) in ours
    assert "todo/py.typed" in ours
    assert {name.partition("/")[0] for name in ours} == {"todo"}
    licenses = {name.partition("/licenses/")[2] for name in files - ours} - {""}
    assert licenses == {"LICENSE", *(f"todo/handlers/swagger_ui/{name}" for name in LICENSES)}


def test_installed_todo_serves_with_nothing_but_the_wheel(program, serving, tmp_path):
    server: Server = serving(command=(str(program), "serve"))
    token = run_todo("token", "--sub", "alice", cwd=tmp_path, program=str(program)).stdout.strip()
    alice = Caller(server.client, "alice", token)
    task = alice.create("Buy milk")

    assert alice("GET", "").json()["tasks"] == [task]
    ready = {"status": "ok", "database": "ok", "schema": schema.head(), "keys": "ok"}
    assert server.client.get("/readyz").json() == ready
    contract = server.client.get("/openapi.json").json()
    assert {"/api/{user_id}/tasks", "/health"} <= set(contract["paths"])
    assert "openapi: 3.0.3" in server.client.get("/openapi.yaml").text
    assert '"docs/swagger-ui-bundle.js"' in server.client.get("/docs").text
    assert len(server.client.get("/docs/swagger-ui-bundle.js").content) > 100_000
    assert server.process.stop() == 0


def test_installed_todo_migrates_a_postgresql_database(program, postgres, tmp_path):
    url = postgres.create_database()
    settings = {"DATABASE_URL": url, "BETTER_AUTH_SECRET": SECRET}

    migrated = run_todo("migrate", cwd=tmp_path, program=str(program), **settings)
    examined = run_todo("doctor", cwd=tmp_path, program=str(program), **settings)

    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert (examined.returncode, "FAIL" in examined.stdout) == (0, False)
