"""Loading the contract as one document: `todo.http.contract.document`."""

import pytest

from todo.http.contract import ContractError
from todo.http.contract.document import contract_directory, load, operations


@pytest.fixture
def write(tmp_path):
    """Write a contract of a few files and return its folder."""

    def write_(files):
        folder = tmp_path / "openapi"
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder

    return write_


def reason(folder):
    """The one line that says what is broken in the contract in ``folder``."""
    with pytest.raises(ContractError) as broken:
        load(folder)
    assert "\n" not in str(broken.value)
    return str(broken.value)


def test_references_to_components_keep_their_names_and_all_others_are_replaced(write):
    folder = write(
        {
            "openapi.yaml": "paths: {/a: {$ref: 'paths/a.yaml#/a'}}\ncomponents: {x-own: {k: 1}}",
            "paths/a.yaml": "a:\n"
            "  get: {s: {$ref: '../components/schemas.yaml#/S'}, t: {$ref: '#/t'}}\n"
            "t: {text: é}",
            "components/schemas.yaml": "S: {p: {$ref: '#/T'}}\nT: {type: string}\nUnused: {}",
        }
    )

    assert load(folder) == {
        "paths": {"/a": {"get": {"s": {"$ref": "#/components/schemas/S"}, "t": {"text": "é"}}}},
        "components": {
            "x-own": {"k": 1},
            "schemas": {"S": {"p": {"$ref": "#/components/schemas/T"}}, "T": {"type": "string"}},
        },
    }


def test_a_component_may_refer_to_itself(write):
    folder = write(
        {
            "openapi.yaml": "paths: {/a: {s: {$ref: 'components/schemas.yaml#/Tree'}}}",
            "components/schemas.yaml": "Tree: {items: {$ref: '#/Tree'}}",
        }
    )

    assert load(folder)["components"]["schemas"] == {
        "Tree": {"items": {"$ref": "#/components/schemas/Tree"}}
    }


def test_the_names_of_a_pointer_are_unescaped(write):
    folder = write(
        {
            "openapi.yaml": "paths: {/a: {$ref: 'p.yaml#/~1a~1{b~0c}'}}",
            "p.yaml": "/a/{b~c}: {found: true}",
        }
    )

    assert load(folder)["paths"] == {"/a": {"found": True}}


def test_a_whole_file_may_be_referred_to(write):
    folder = write({"openapi.yaml": "paths: {$ref: 'p.yaml'}", "p.yaml": "{/a: {get: {}}}"})

    assert load(folder)["paths"] == {"/a": {"get": {}}}


RESPONSES = "A: {d: a}\nB: {d: b}\nC: {d: c}"
SETS = """
read: {'400': {$ref: 'components/responses.yaml#/A'}, '404': {$ref: 'components/responses.yaml#/A'}}
write: {'404': {$ref: 'components/responses.yaml#/B'}, 409: {$ref: 'components/responses.yaml#/B'}}
broken: []
"""


def with_errors(operation):
    """A contract with the sets above and one operation."""
    return {
        "openapi.yaml": "paths: {/a: {$ref: 'paths/a.yaml#/a'}}",
        "paths/a.yaml": f"a: {{get: {{operationId: get_a, {operation}}}}}",
        "components/responses.yaml": RESPONSES,
        "error_sets.yaml": SETS,
    }


def test_an_operation_gets_the_responses_of_its_sets_by_status_and_its_own_come_first(write):
    own = "'409': {$ref: '../components/responses.yaml#/C'}, '200': {d: ok}"
    document = load(write(with_errors(f"responses: {{{own}}}, x-errors: [read, write]")))

    assert document["paths"]["/a"]["get"] == {
        "operationId": "get_a",
        "responses": {
            "200": {"d": "ok"},
            "400": {"$ref": "#/components/responses/A"},
            "404": {"$ref": "#/components/responses/B"},
            "409": {"$ref": "#/components/responses/C"},
        },
    }
    assert list(document["paths"]["/a"]["get"]["responses"]) == ["200", "400", "404", "409"]
    assert document["components"]["responses"] == {
        "A": {"d": "a"},
        "B": {"d": "b"},
        "C": {"d": "c"},
    }


def test_a_contract_without_sets_of_errors_needs_no_file_of_them(write):
    files = with_errors("responses: {'200': {d: ok}}")
    del files["error_sets.yaml"]

    assert load(write(files))["paths"]["/a"]["get"]["responses"] == {"200": {"d": "ok"}}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"openapi.yaml": "paths: {/a: {$ref: 'nowhere.yaml#/a'}}"},
            ["openapi/openapi.yaml", "'nowhere.yaml#/a'", "there is no such file"],
        ),
        (
            {"openapi.yaml": "paths: {/a: {$ref: 'p.yaml#/b'}}", "p.yaml": "a: {}"},
            ["openapi/openapi.yaml", "'p.yaml#/b'", "there is no 'b' in openapi/p.yaml"],
        ),
        (
            {"openapi.yaml": "paths: {/a: {$ref: 'p.yaml#/a/b'}}", "p.yaml": "a: [1]"},
            ["openapi/openapi.yaml", "there is no 'b' in openapi/p.yaml"],
        ),
        (
            {
                "openapi.yaml": "paths: {/a: {$ref: 'paths/a.yaml#/a'}}",
                "paths/a.yaml": "a: {s: {$ref: '../components/schemas.yaml#/S'}}",
                "components/schemas.yaml": "T: {}",
            },
            ["openapi/paths/a.yaml", "there is no 'S' in openapi/components/schemas.yaml"],
        ),
        ({"openapi.yaml": "paths: {/a: ]}"}, ["openapi/openapi.yaml", "not valid YAML", "line 1"]),
        (
            {"openapi.yaml": "paths: {/a: {$ref: 'p.yaml#/a'}}", "p.yaml": "a:\n\t- b"},
            ["openapi/p.yaml", "not valid YAML", "line 2"],
        ),
        (
            with_errors("responses: {}, x-errors: [read, wriet]"),
            [
                "openapi/paths/a.yaml: get_a: x-errors: 'error_sets.yaml#/wriet'",
                "there is no 'wriet' in openapi/error_sets.yaml",
            ],
        ),
        (
            with_errors("responses: {}, x-errors: [broken]"),
            ["openapi/error_sets.yaml: broken: must have responses by their status"],
        ),
        (
            with_errors("responses: {}, x-errors: read"),
            ["openapi/paths/a.yaml: get_a: x-errors: must be a list of names beside 'responses'"],
        ),
        (
            with_errors("x-errors: [read]"),
            ["openapi/paths/a.yaml: get_a: x-errors: must be a list of names beside 'responses'"],
        ),
        (
            {**with_errors("responses: {}, x-errors: [read]"), "error_sets.yaml": "read: ["},
            ["openapi/error_sets.yaml", "not valid YAML"],
        ),
        ({"openapi.yaml": b"\xff\xfe"}, ["openapi/openapi.yaml", "cannot be read"]),
        ({"other.yaml": ""}, ["openapi/openapi.yaml", "cannot be read"]),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[-1],
)
def test_what_is_broken_is_named_with_its_file(write, files, expected):
    line = reason(write(files))

    assert [part for part in expected if part not in line] == []


@pytest.mark.parametrize("text", ["", "[]", "text", "5", "null", "components: []"])
def test_a_root_that_is_no_openapi_document_is_broken(write, text):
    folder = write({"openapi.yaml": text})

    assert reason(folder) == "openapi/openapi.yaml: is not an OpenAPI document"


def test_the_shipped_contract_has_local_references_only():
    found = []

    def walk(node):
        if isinstance(node, dict):
            found.extend([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(load(contract_directory()))
    assert found
    assert [reference for reference in found if not reference.startswith("#/components/")] == []


DOCUMENT = {
    "paths": {
        "/a": {"get": {}, "parameters": [], "summary": "x"},
        "/a/{b}": {"delete": {}, "put": {}},
        "/a/fixed": {"post": {}},
        "/a.b": {"head": {}},
    }
}


def test_operations_come_in_the_order_of_the_document():
    assert [(path, method) for path, method, _ in operations(DOCUMENT)] == [
        ("/a", "get"),
        ("/a/{b}", "put"),
        ("/a/{b}", "delete"),
        ("/a/fixed", "post"),
        ("/a.b", "head"),
    ]
