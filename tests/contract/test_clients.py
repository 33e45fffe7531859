"""The document suits those who read it: generated clients, and the page at `/docs`."""

import re
from typing import Any

import pytest

from tests.contract.reading import (
    CLOSED_OPERATIONS,
    DOCUMENT,
    OPEN_OUTPUTS,
    OPERATIONS,
    Operation,
    closed,
    every_schema,
    examples,
    resolved,
    schemas,
)
from todo.http.contract.schemas import SET_BY_SERVER

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=str)


def objects_of_outputs(operations: list[Operation]) -> dict[str, dict[str, Any]]:
    """Every schema of an object in an answer, by operation, status and place."""
    return {
        where: schema
        for operation in operations
        for status, response in operation.responses.items()
        for content in response.get("content", {}).values()
        for where, schema in schemas(content["schema"], f"{operation} {status}")
        if schema.get("type") == "object"
    }


def test_every_output_may_get_new_members():
    outputs = objects_of_outputs(OPERATIONS)

    assert outputs
    assert [w for w, schema in outputs.items() if schema.get("additionalProperties") is False] == []
    assert "clients must ignore members that they do not know" in DOCUMENT["info"]["description"]


def test_the_tests_close_every_output_but_the_contract_itself():
    outputs = objects_of_outputs(CLOSED_OPERATIONS)
    is_open = {where for where, schema in outputs.items() if "additionalProperties" not in schema}
    contracts = {place.removeprefix("Contract") for place in OPEN_OUTPUTS}

    assert is_open == {
        f"GET /openapi.{form} 200{place}" for form in ("json", "yaml") for place in contracts
    }


def test_closing_the_outputs_leaves_the_contract_as_it_is():
    before = resolved(DOCUMENT)

    assert closed(DOCUMENT) != DOCUMENT
    assert resolved(DOCUMENT) == before


def test_requests_name_the_fields_of_a_task_that_only_the_server_sets():
    components = DOCUMENT["components"]["schemas"]
    shown = components["Task"]["properties"].keys() | components["TrashedTask"]["properties"].keys()

    for name in ("TaskCreate", "TaskUpdate"):
        settable = components[name]["properties"].keys()
        assert set(components[name][SET_BY_SERVER]) == shown - settable


def test_requests_name_the_fields_of_a_list_that_only_the_server_sets():
    components = DOCUMENT["components"]["schemas"]

    for name in ("ListCreate", "ListUpdate"):
        settable = components[name]["properties"].keys()
        assert (
            set(components[name][SET_BY_SERVER])
            == components["TaskList"]["properties"].keys() - settable
        )


def test_every_enum_stands_alone():
    bounds = {"minLength", "maxLength", "pattern", "format", "minimum", "maximum"}
    # A format of integers chooses the type of the variable, not its values.
    assert [
        (where, beside)
        for where, schema in every_schema()
        if "enum" in schema
        for beside in bounds & schema.keys()
        if (beside, schema["type"]) != ("format", "integer")
    ] == []


def test_every_hexadecimal_escape_of_a_pattern_is_in_upper_case():
    escapes = {
        escape
        for _, schema in every_schema()
        for escape in re.findall(
            r"\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})", schema.get("pattern", "")
        )
    }
    assert {r"\u0000", r"\u001F"} <= escapes
    assert {escape for escape in escapes if escape[2:] != escape[2:].upper()} == set()


# Generated code makes a class or a type of each schema. Without an import these names are
# taken in a language that clients are generated for.
GLOBALS = {
    *(
        "Any",
        "Array",
        "Blob",
        "Body",
        "Boolean",
        "Comment",
        "Console",
        "Date",
        "Document",
        "Element",
    ),
    *(
        "Error",
        "Event",
        "File",
        "Function",
        "Headers",
        "History",
        "Image",
        "Intl",
        "JSON",
        "Location",
    ),
    *(
        "Lock",
        "Map",
        "Math",
        "Node",
        "Notification",
        "Number",
        "Object",
        "Option",
        "Partial",
        "Pick",
    ),
    *(
        "Promise",
        "Proxy",
        "Range",
        "Record",
        "Reflect",
        "Report",
        "Request",
        "Response",
        "Selection",
    ),
    *("Set", "Storage", "String", "Symbol", "Text", "URL", "Worker"),  # TypeScript
    *("Character", "Class", "Exception", "Integer", "Iterable", "Long", "Module", "Override"),
    *("Package", "Process", "Runtime", "Thread", "Throwable", "Void"),  # Java
    *("Collection", "List", "Pair", "Result", "Sequence", "Unit"),  # Kotlin
    *(
        "Action",
        "Attribute",
        "Buffer",
        "Enum",
        "Environment",
        "Index",
        "Lazy",
        "Nullable",
        "Random",
    ),
    *("Tuple", "Type", "Version"),  # C#
    *("Bundle", "Codable", "Data", "Decoder", "Never", "Operation", "Optional", "Progress", "Self"),
    *("Stream", "Timer"),  # Swift
    *("Duration", "Future", "Iterator", "Match", "Pattern"),  # Dart
    *("Box", "Some", "Vec"),  # Rust
    *("Client", "Config", "Unset"),  # what generators call a class of their own
}
# `Task` is one in Swift and in C#. It is what the product is about, and what every client will look
# for; there it takes a prefix, or the name of the client's own module.
TAKEN = {"Task"}


def test_no_schema_has_the_name_of_a_global():
    assert GLOBALS & DOCUMENT["components"]["schemas"].keys() - TAKEN == set()


def test_no_schema_has_the_name_of_a_parameter():
    components = DOCUMENT["components"]
    assert components["schemas"].keys() & components["parameters"].keys() == set()


def test_no_schema_has_the_name_of_one_of_its_members():
    # A generated class reads both into variables of one function.
    assert [
        name
        for name, schema in DOCUMENT["components"]["schemas"].items()
        if name.lower() in {member.replace("_", "") for member in schema.get("properties", {})}
    ] == []


@every_operation
def test_a_tool_sends_no_value_of_its_own_for_an_optional_parameter(operation: Operation):
    # Swagger UI fills them in and sends them. It sends a default, too, which changes nothing in a
    # query: the server puts the same one where the parameter is absent. It does not for a header.
    optional = [p for p in operation.definition.get("parameters", []) if not p.get("required")]
    for parameter in optional:
        name, schema = parameter["name"], parameter["schema"]
        assert not {"example", "examples"} & parameter.keys(), name
        assert not {"example", "examples"} & {k for _, s in schemas(schema, name) for k in s}, name
        assert parameter["in"] == "query" or "default" not in schema, name


def test_the_example_of_a_bulk_names_no_task_that_may_not_be_there():
    [bulk] = [operation for operation in OPERATIONS if operation.name == "change_tasks"]
    [example] = examples(bulk.bodies["application/json"])

    assert {operation["op"] for operation in example["operations"]} == {"create"}


@pytest.mark.parametrize(
    "way", ["todo token --sub", "/api/auth/register", "/api/auth/login", "authClient.token()"]
)
def test_the_security_scheme_says_how_to_get_a_token_here(way: str):
    assert way in DOCUMENT["components"]["securitySchemes"]["bearer"]["description"]
