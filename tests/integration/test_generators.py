"""Clients that others generate from the contract: they compile under the strictest settings."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.contract.reading import DOCUMENT
from tests.depth import ONLY_IN_CI
from tests.servers.node import run
from tests.servers.programs import require

pytestmark = ONLY_IN_CI

FOLDER = Path(__file__).parents[1] / "generators"
PROGRAMS = Path(sys.executable).parent

# The generator knows JSON alone, and would leave the answer of `show_openapi_yaml` out.
PYTHON_CLIENT = {
    "content_type_overrides": {"application/yaml": "application/json"},
    "post_hooks": [],
}


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    """The folder that a generator works in: the contract is there, as `openapi.json`."""
    (tmp_path / "openapi.json").write_text(json.dumps(DOCUMENT))
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ("openapi-typescript", "openapi.json", "--output", "src/api.d.ts"),
        ("orval", "--input", "openapi.json", "--output", "src/api.ts", "--client", "fetch"),
        ("openapi-ts", "--input", "openapi.json", "--output", "src"),
    ],
    ids=lambda command: command[0],
)
def test_a_generated_typescript_client_compiles_strictly(contract: Path, command: tuple[str, ...]):
    require("node", "npm", folder=FOLDER)
    for name in ("package.json", "tsconfig.json"):
        shutil.copy(FOLDER / name, contract)
    (contract / "node_modules").symlink_to(FOLDER / "node_modules")

    run(contract, "npm", "exec", "--no", "--", *command, home=contract)

    assert "list_tasks" in sources(contract) or "listTasks" in sources(contract)
    run(contract, "npm", "exec", "--no", "--", "tsc", home=contract)


def sources(folder: Path) -> str:
    return "".join(path.read_text() for path in (folder / "src").rglob("*.ts"))


def test_a_generated_python_client_passes_mypy_strictly(contract: Path):
    (contract / "config.json").write_text(json.dumps(PYTHON_CLIENT))
    generator = str(PROGRAMS / "openapi-python-client")
    where = ("--path", "openapi.json", "--output-path", "client", "--config", "config.json")

    run(contract, generator, "generate", "--meta=none", "--fail-on-warning", *where, home=contract)

    assert (contract / "client" / "api" / "tasks" / "list_tasks.py").is_file()
    # The packages that the client is made of come without types here.
    lenient = "--disable-error-code=import-untyped"
    mypy = (sys.executable, "-m", "mypy", "--strict", "--config-file=", lenient)
    run(contract, *mypy, "client", home=contract)
