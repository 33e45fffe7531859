"""The OpenAPI document: valid, secured, bounded, described, and true to its own schemas."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV30SpecValidator

from tests.contract.reading import (
    CLOSED_OPERATIONS,
    DOCUMENT,
    OPERATIONS,
    Operation,
    every_schema,
    examples,
    resolved,
    schemas,
)
from todo import __version__
from todo.http.contract.document import ERROR_SETS, X_ERRORS, contract_directory
from todo.http.contract.schemas import Schema
from todo.problem_types import PROBLEM_TYPES
from todo.problems import MAX_BODY, MAX_DETAIL, MAX_ERRORS, MAX_INSTANCE, MEDIA_TYPE

# Everybody may call these. A new operation is secured unless it is added here on purpose.
PUBLIC = {
    "register_account",
    "log_in",
    "show_service",
    "check_health",
    "check_liveness",
    "check_readiness",
    "show_demo",
    "show_demo_asset",
    "show_docs",
    "show_docs_asset",
    "show_openapi_json",
    "show_openapi_yaml",
    "show_problem",
}

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=str)
every_operation_closed = pytest.mark.parametrize("operation", CLOSED_OPERATIONS, ids=str)


def is_bounded(schema: dict[str, Any]) -> bool:
    """Whether a schema names its type, and the bounds of its values."""
    match schema.get("type"):
        case "string":
            return "maxLength" in schema or "enum" in schema
        case "integer" | "number":
            return {"minimum", "maximum"} <= schema.keys() or "enum" in schema
        case "array":
            return {"maxItems", "items"} <= schema.keys()
        case "boolean" | "object":
            return True
        case None:  # one of several, each with bounds of its own
            return {"oneOf", "discriminator"} <= schema.keys()
    return False


def test_document_is_valid():
    assert list(OpenAPIV30SpecValidator(DOCUMENT).iter_errors()) == []
    assert DOCUMENT["openapi"] == "3.0.3"


def test_document_has_the_version_of_the_package():
    assert DOCUMENT["info"]["version"] == __version__


def test_every_component_is_used():
    written = {
        (path.stem, name)
        for path in (contract_directory() / "components").glob("*.yaml")
        for name in yaml.safe_load(path.read_text())
    }
    loaded = {(s, n) for s, members in DOCUMENT["components"].items() for n in members}
    assert written == loaded - {("securitySchemes", "bearer")}


def test_every_operation_is_secured_or_on_the_list():
    assert {operation.name for operation in OPERATIONS if not operation.secured} == PUBLIC


def test_every_path_of_a_user_is_secured():
    assert all(operation.secured for operation in OPERATIONS if "{user_id}" in operation.path)


def test_every_schema_is_bounded():
    assert [where for where, schema in every_schema() if not is_bounded(schema)] == []


def test_every_input_refuses_unknown_fields():
    inputs = [
        found
        for operation in OPERATIONS
        for content in operation.bodies.values()
        for found in schemas(content["schema"], str(operation))
        if found[1].get("type") == "object"
    ]
    assert inputs
    assert all(schema.get("additionalProperties") is False for _, schema in inputs)


def test_every_pattern_says_what_it_means():
    assert [
        where
        for where, schema in schemas_of_inputs()
        if "pattern" in schema and "x-pattern-means" not in schema
    ] == []


def schemas_of_inputs() -> Iterator[tuple[str, dict[str, Any]]]:
    for operation in OPERATIONS:
        for parameter in operation.definition.get("parameters", []):
            yield from schemas(parameter["schema"], f"{operation} {parameter['name']}")
        for content in operation.bodies.values():
            yield from schemas(content["schema"], str(operation))


@every_operation
def test_operation_is_described(operation: Operation):
    assert operation.definition["summary"]
    assert len(operation.definition["description"].strip()) > 10
    assert all(p.get("description") for p in operation.definition.get("parameters", []))
    assert all(response["description"] for response in operation.responses.values())


@every_operation
def test_operation_has_an_example_of_every_request_and_response(operation: Operation):
    lacking = [media for media, content in operation.bodies.items() if not examples(content)]
    lacking += [
        f"{status} {media}"
        for status, response in operation.responses.items()
        for media, content in response.get("content", {}).items()
        if not examples(content)
    ]
    assert lacking == []


@every_operation
def test_operation_shows_a_success_and_a_problem(operation: Operation):
    statuses = operation.responses
    assert any(200 <= status < 300 for status in statuses)
    problems = [response for status, response in statuses.items() if status >= 400]
    assert problems
    assert all(list(response["content"]) == [MEDIA_TYPE] for response in problems)


@every_operation_closed
def test_examples_fit_their_schemas(operation: Operation):
    for media_type, content in operation.bodies.items():
        for example in examples(content):
            assert Schema(content["schema"]).violations(example) == [], media_type
    for status, response in operation.responses.items():
        for content in response.get("content", {}).values():
            for example in examples(content):
                assert Schema(content["schema"]).violations(example) == [], status
        for name, header in response.get("headers", {}).items():
            assert Schema(header["schema"]).violations(header["example"]) == [], name
    for parameter in operation.definition.get("parameters", []):
        if "example" in parameter:
            assert Schema(parameter["schema"]).violations(parameter["example"]) == []


@every_operation
def test_examples_of_problems_are_problems_of_the_table(operation: Operation):
    for status, response in operation.responses.items():
        if status >= 400:
            [example] = examples(response["content"][MEDIA_TYPE])
            kind = PROBLEM_TYPES[example["code"]]
            assert (example["status"], example["title"]) == (status, kind.title)
            assert kind.status == status
            assert example["type"] == f"/problems/{example['code']}"


@every_operation
def test_operation_documents_the_request_id_and_what_its_problems_carry(operation: Operation):
    for status, response in operation.responses.items():
        headers = set(response.get("headers", {}))
        assert "X-Request-ID" in headers, status
        assert ("WWW-Authenticate" in headers) == (status == 401)
        waits = status in (429, 503) or (status == 409 and operation.secured)
        assert ("Retry-After" in headers) == waits
        assert ({"RateLimit", "RateLimit-Policy"} <= headers) == (status == 429)


def test_every_operation_but_a_probe_has_a_limit_in_time():
    unlimited = {operation.name for operation in OPERATIONS if 429 not in operation.responses}
    assert unlimited == {"check_health", "check_liveness", "check_readiness"}


@every_operation
def test_operation_has_the_errors_of_what_it_takes(operation: Operation):
    inputs = operation.definition.get("parameters", [])
    headers = {parameter["name"] for parameter in inputs if parameter["in"] == "header"}
    has_path, has_others = operation.parameters("path"), operation.parameters("query") or headers
    expected = {
        400: True,
        408: True,
        413: True,
        414: True,
        500: True,
        403: operation.secured,
        404: bool(has_path),
        415: bool(operation.bodies),
        422: bool(has_others or operation.bodies),
    }
    expected |= {304: True} if "If-None-Match" in headers else {}
    expected |= {401: True, 429: True, 503: True} if operation.secured else {}
    expected |= {412: True} if "If-Match" in headers else {}
    expected |= {409: True, 507: True} if "Idempotency-Key" in headers else {}

    assert {status: status in operation.responses for status in expected} == expected


def test_every_set_of_errors_is_used():
    sets = yaml.safe_load((contract_directory() / ERROR_SETS).read_text())
    used = {
        name
        for path in (contract_directory() / "paths").glob("*.yaml")
        for item in yaml.safe_load(path.read_text()).values()
        for operation in item.values()
        for name in operation[X_ERRORS]
    }
    assert used == set(sets)


def test_example_of_a_problem_code_is_the_table_s():
    [operation] = [operation for operation in OPERATIONS if operation.name == "show_problem"]
    [example] = examples(operation.responses[200]["content"]["application/json"])
    assert example == {"code": example["code"], **vars(PROBLEM_TYPES[example["code"]])}


def test_schema_of_problems_has_the_bounds_of_the_renderer():
    problem = resolved(DOCUMENT["components"]["schemas"]["Problem"])["properties"]
    assert problem["detail"]["maxLength"] == MAX_DETAIL
    assert problem["instance"]["maxLength"] == MAX_INSTANCE
    assert problem["errors"]["maxItems"] == MAX_ERRORS
    assert max(len(kind.title) for kind in PROBLEM_TYPES.values()) <= problem["title"]["maxLength"]
    assert max(map(len, PROBLEM_TYPES)) <= problem["code"]["maxLength"]
    assert max(len(f"/problems/{code}") for code in PROBLEM_TYPES) <= problem["type"]["maxLength"]
    assert MAX_BODY == 4096
