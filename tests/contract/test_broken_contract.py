"""A broken contract does not boot: one line says which file or operation is to blame."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SECRET
from todo.app import create_app
from todo.http.contract.document import contract_directory
from todo.settings.configuration_error import ConfigurationError
from todo.settings.settings import Settings


def replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return damage


def remove(file: str) -> Callable[[Path], None]:
    return lambda folder: (folder / file).unlink()


TASKS = "paths/tasks.yaml"
DAMAGES = {
    "an operationId without a handler": (
        replace(TASKS, "operationId: list_tasks", "operationId: list_nothing"),
        ["GET /api/{user_id}/tasks", "list_nothing", "todo.handlers.tasks"],
    ),
    "no operationId": (
        replace(TASKS, "    operationId: list_tasks\n", ""),
        ["GET /api/{user_id}/tasks", "operationId"],
    ),
    "a tag without a module": (
        replace(TASKS, "tags: [tasks]", "tags: [chores]"),
        ["GET /api/{user_id}/tasks", "todo.handlers.chores"],
    ),
    "YAML that does not parse": (
        replace(TASKS, "list:\n", "list: [\n"),
        [TASKS, "not valid YAML", "line"],
    ),
    "bytes that are not UTF-8": (
        lambda folder: (folder / TASKS).write_bytes(b"\xff\xfe"),
        [TASKS, "cannot be read"],
    ),
    "a reference into a file that is not there": (
        remove("components/responses.yaml"),
        ["responses.yaml", "there is no such file"],
    ),
    "a reference to a component that is not there": (
        replace(TASKS, "parameters.yaml#/Skip", "parameters.yaml#/Skipp"),
        [TASKS, "parameters.yaml#/Skipp"],
    ),
    "a set of errors that is not there": (
        replace(TASKS, "x-errors: [reads]", "x-errors: [raeds]"),
        [TASKS, "list_tasks", "x-errors", "'raeds'", "error_sets.yaml"],
    ),
    "sets of errors that are not a list": (
        replace(TASKS, "x-errors: [reads]", "x-errors: reads"),
        [TASKS, "list_tasks", "x-errors", "list"],
    ),
    "a file of sets that is not there": (
        remove("error_sets.yaml"),
        [TASKS, "list_tasks", "error_sets.yaml", "there is no such file"],
    ),
    "a set of errors that refers to no response": (
        replace("error_sets.yaml", "responses.yaml#/BadRequest", "responses.yaml#/Bad"),
        ["error_sets.yaml", "responses.yaml#/Bad", "components/responses.yaml"],
    ),
    "a document that is missing": (
        remove("openapi.yaml"),
        ["openapi.yaml", "cannot be read"],
    ),
    "a document that is not OpenAPI": (
        replace("openapi.yaml", "openapi: 3.0.3", "openapi: 3.0.3\nflavour: vanilla"),
        ["flavour"],
    ),
    "an OpenAPI 3.1 document": (
        replace("openapi.yaml", "openapi: 3.0.3", "openapi: 3.1.0"),
        ["3.1"],
    ),
    "a response that is not OpenAPI": (
        replace(TASKS, "description: The page.", "desription: The page."),
        ["desription"],
    ),
    "a parameter that the handler does not take": (
        replace("components/parameters.yaml", "name: skip", "name: offset"),
        ["GET /api/{user_id}/tasks", "offset", "list_tasks"],
    ),
    "a field without a query parameter": (
        replace(TASKS, "      - $ref: ../components/parameters.yaml#/Skip\n", ""),
        ["GET /api/{user_id}/tasks", "TaskQuery", "list_tasks", "no query parameters: ['skip']"],
    ),
    "a query parameter that lost its default": (
        replace("components/parameters.yaml", "type: boolean, default: true", "type: boolean"),
        ["GET /api/{user_id}/tasks", "TaskQuery", "list_tasks", "must allow None as 'total'"],
    ),
    "a query parameter that got a default": (
        replace("components/parameters.yaml", "enum: [asc, desc]", "enum: [asc], default: asc"),
        ["GET /api/{user_id}/tasks", "TaskQuery", "list_tasks", "must not allow None as 'order'"],
    ),
    "a security scheme that nobody handles": (
        replace("openapi.yaml", "security:\n  - bearer: []", "security:\n  - cookie: []"),
        ["every operation", "cookie"],
    ),
    "a pattern that is no regular expression": (
        replace("components/schemas.yaml", r"pattern: '^[^\u0000]*$'", "pattern: '['"),
        ["/api/{user_id}/tasks", "/properties/description/pattern", "regex"],
    ),
    "a parameter without a type": (
        replace("components/parameters.yaml", "schema: {type: boolean}", "schema: {}"),
        ["GET /api/{user_id}/tasks", "completed", "type"],
    ),
    "a parameter of a type that has no spelling in a query": (
        replace("components/parameters.yaml", "{type: boolean}", "{type: object}"),
        ["GET /api/{user_id}/tasks", "completed", "object"],
    ),
    "a document without paths": (
        replace("openapi.yaml", "paths:", "x-paths:"),
        ["paths"],
    ),
    "a document that is a list": (
        lambda folder: (folder / "openapi.yaml").write_text("- openapi\n"),
        ["openapi.yaml"],
    ),
    "an empty document": (
        lambda folder: (folder / "openapi.yaml").write_text(""),
        ["openapi.yaml"],
    ),
    "a file of paths that is empty": (
        lambda folder: (folder / TASKS).write_text(""),
        [TASKS, "list"],
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_broken_contract_refuses_to_boot(damage: str, tmp_path: Path):
    folder = tmp_path / "openapi"
    shutil.copytree(contract_directory(), folder)
    break_it, words = DAMAGES[damage]
    break_it(folder)

    with pytest.raises(ConfigurationError) as refusal:
        create_app(Settings(better_auth_secret=SECRET, instance_path=tmp_path), contract=folder)

    line = str(refusal.value)
    assert line.startswith("The contract cannot be served: ")
    assert "\n" not in line
    assert [word for word in words if word not in line] == []


def test_unbroken_copy_boots(tmp_path: Path):
    folder = tmp_path / "openapi"
    shutil.copytree(contract_directory(), folder)

    create_app(Settings(better_auth_secret=SECRET, instance_path=tmp_path), contract=folder)
