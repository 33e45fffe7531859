"""The spec's table, the OpenAPI document and the handlers are one contract, in every direction."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import todo.handlers
from tests.contract.reading import DOCUMENT, OPERATIONS, SPECS, Operation, table
from todo.http.contract.resolver import PACKAGE

ENDPOINTS = SPECS / "api" / "endpoints.md"


def listed(cell: str) -> list[str]:
    return [] if cell == "-" else cell.split(", ")


def as_row(operation: Operation) -> dict[str, object]:
    """An operation of the contract, the way the spec's table writes it."""
    statuses = sorted(operation.responses)
    success = [status for status in statuses if status < 400]
    return {
        "method": operation.method,
        "path": operation.path,
        "operationId": operation.name,
        "success": [str(status) for status in success],
        "errors": [str(status) for status in statuses if status not in success],
        "path parameters": operation.parameters("path"),
        "query parameters": operation.parameters("query"),
    }


def test_spec_and_contract_have_the_same_operations():
    rows = [
        {
            "method": method,
            "path": path,
            "operationId": name,
            "success": listed(success),
            "errors": listed(errors),
            "path parameters": listed(in_path),
            "query parameters": listed(in_query),
        }
        for method, path, name, success, errors, in_path, in_query in table(ENDPOINTS, "method")
    ]
    assert rows == [as_row(operation) for operation in OPERATIONS]


def test_operation_ids_are_unique():
    names = [operation.name for operation in OPERATIONS]
    assert sorted(set(names)) == sorted(names)


def test_handlers_and_contract_have_the_same_operations():
    handlers = {
        (module.name, name)
        for module in pkgutil.iter_modules(todo.handlers.__path__)
        for name, function in vars(importlib.import_module(f"{PACKAGE}.{module.name}")).items()
        if inspect.isfunction(function)
        and function.__module__ == f"{PACKAGE}.{module.name}"
        and not name.startswith("_")
    }
    assert handlers == {(op.definition["tags"][0], op.name) for op in OPERATIONS}


def taken(handler: Callable[..., Any]) -> list[str]:
    """What a handler takes; in place of a typed query, its fields."""
    names = []
    for name, parameter in inspect.signature(handler).parameters.items():
        is_query = name != "user" and is_dataclass(parameter.annotation)
        names += [field.name for field in fields(parameter.annotation)] if is_query else [name]
    return names


def test_handlers_of_the_contract_take_its_parameters():
    for operation in OPERATIONS:
        module = importlib.import_module(f"{PACKAGE}.{operation.definition['tags'][0]}")
        expected = {*operation.parameters("path"), *operation.parameters("query")} - {"user_id"}
        expected |= {"user"} if operation.secured else set()
        expected |= {"body"} if operation.bodies else set()
        assert sorted(taken(getattr(module, operation.name))) == sorted(expected)


def test_every_tag_is_declared_and_used():
    declared = [tag["name"] for tag in DOCUMENT["tags"]]
    used = {tag for operation in OPERATIONS for tag in operation.definition["tags"]}
    assert sorted(declared) == sorted(used)


def test_the_whole_path_is_in_the_path_parameters():
    for operation in OPERATIONS:
        names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
        assert operation.parameters("path") == names, str(operation)
