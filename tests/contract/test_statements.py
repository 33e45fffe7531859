"""Every SQL statement of a request is about the caller: `user_id` is bound for every table."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.conftest import Caller, Service
from tests.contract.entities import call, named_by
from tests.contract.reading import ENDLESS, OPERATIONS, Operation
from tests.integration.application import engine_of, sent_by

# Sent in one message with the statement that follows, or alone: they touch no table.
TRANSACTION = re.compile(r"(?:(?:BEGIN|COMMIT|ROLLBACK|SET LOCAL)\b[^;]*;?\s*)+")
TABLES = re.compile(  # but no function, and no query that is joined
    r"\b(FROM|JOIN|INTO|(?<!DO )UPDATE|FROM \w+,|FROM \w+ AS \w+,)\s+"
    r"\"?(?!LATERAL\b)(\w+)\b(?!\()(?: AS (?!\()(\w+))?"
)
NAMED = re.compile(r"\b(\w+)(?:\([\w, ]*\))? AS\s+\(")
"""A query that has a name in its statement."""
OWNERS = {"users": "id"} | dict.fromkeys(
    ("tasks", "lists", "changes", "idempotency_keys"), "user_id"
)
# What a public operation may read; it is nobody's.
OF_NOBODY = {"todo_api_version"}
# Where new users begin after a restore; the statement that adds a user's row reads it.
OF_EVERYBODY = {"advances"}

Statement = tuple[str, Any]


@contextmanager
def watched(service: Service) -> Iterator[list[Statement]]:
    """Collect the statements that requests execute, without those that touch no table."""
    seen: list[Statement] = []
    with sent_by(service) as sent:
        yield seen
    for statement, parameters in sent:
        if rest := TRANSACTION.sub("", statement, count=1).strip():
            seen.append((rest, parameters))


def rows_of(parameters: Any) -> list[Any]:
    """Several rows' parameters, or those of the one."""
    return parameters if isinstance(parameters, list) else [parameters]


def values_of(row: Any) -> Any:
    return row.values() if isinstance(row, dict) else row


def is_of(statement: Statement, owner: str) -> bool:
    """Whether the statement binds the owner, in the row or in the WHERE of every table it names."""
    text, parameters = statement
    if not TABLES.search(text):  # the announcement of a key
        return True
    return all(owner in values_of(row) for row in rows_of(parameters)) and all(
        re.search(rf"\b{table} \([^)]*\b{OWNERS[table]}\b", text)
        if verb == "INTO"
        else re.search(rf"\b{alias or table}\.{OWNERS[table]} = (?::|%\()", text)
        for verb, table, alias in TABLES.findall(text)
        if table not in OF_EVERYBODY and table not in NAMED.findall(text)
    )


@pytest.mark.parametrize(
    "operation",
    [op for op in OPERATIONS if "{user_id}" in op.path and op.name != ENDLESS],
    ids=str,
)
def test_operation_of_a_user_executes_only_statements_about_the_caller(
    operation: Operation, service: Service, alice: Caller
):
    path = operation.path.format_map(named_by(operation, alice))
    with watched(service) as statements:
        response = call(alice, operation, path)

    assert response.status_code in (200, 201, 204), response.text
    assert statements
    assert [statement for statement in statements if not is_of(statement, alice.id)] == []


def test_a_bulk_of_a_hundred_under_a_key_executes_a_handful_of_statements(
    service: Service, alice: Caller
):
    for _ in range(60):
        alice.create()
    operations = [{"op": "create", "data": {"title": "Buy milk"}}] * 40
    operations += [{"op": "update", "id": n, "data": {"title": f"{n}"}} for n in range(1, 21)]
    operations += [{"op": "complete", "id": n, "completed": True} for n in range(21, 41)]
    operations += [{"op": "delete", "id": n} for n in range(41, 61)]
    with watched(service) as statements:
        response = alice(
            "POST", "bulk", json={"operations": operations}, headers={"Idempotency-Key": "x"}
        )

    assert response.json()["revision"] == 160
    assert [statement for statement in statements if not is_of(statement, alice.id)] == []
    # The key is announced (PostgreSQL), the user locked, the key looked up, the tasks read; the
    # tasks written; the log and the counters written, what is too much let go and the response
    # kept, which PostgreSQL does in one.
    assert len(statements) == {"postgresql": 6, "sqlite": 8}[engine_of(service).dialect.name]


def test_first_write_of_a_user_executes_only_statements_about_that_user(
    service: Service, alice: Caller
):
    with watched(service) as statements:
        alice.create()

    assert any("INSERT INTO users" in text for text, _ in statements)
    assert all(is_of(statement, alice.id) for statement in statements)


def test_request_for_somebody_elses_path_executes_nothing(
    service: Service, alice: Caller, bob: Caller
):
    of_a_user = [op for op in OPERATIONS if "{user_id}" in op.path]
    paths = [
        (op.method, op.path.format_map({**named_by(op, alice), "user_id": alice.id}))
        for op in of_a_user
    ]
    with watched(service) as statements:
        responses = [bob(method, path) for method, path in paths]

    assert {response.status_code for response in responses} == {403}
    assert statements == []


@pytest.mark.parametrize(
    "operation",
    [op for op in OPERATIONS if not op.secured and op.definition["tags"] != ["accounts"]],
    ids=str,
)
def test_public_operation_reads_nothing_of_any_user(operation: Operation, service: Service):
    nobody = Caller(service.client, "nobody", token="none")
    path = operation.path
    for parameter in operation.definition.get("parameters", []):
        path = path.replace(f"{{{parameter['name']}}}", str(parameter.get("example")))
    with watched(service) as statements:
        assert call(nobody, operation, path).status_code == 200

    tables = {table for text, _ in statements for _, table, _ in TABLES.findall(text)}
    assert tables <= OF_NOBODY


def test_accounts_are_looked_up_by_one_e_mail_or_one_user_and_touch_no_other_table(
    service: Service,
):
    email = f"{uuid.uuid4().hex}@example.com"
    credentials = {"email": email, "password": "correct horse"}
    with watched(service) as statements:
        user = service.client.post("/api/auth/register", json=credentials).json()["user"]["id"]
        token = service.client.post("/api/auth/login", json=credentials).json()["token"]
        account = Caller(service.client, user, token)
        assert account("POST", "/api/auth/renew").status_code == 200
        change = {"password": "correct horse", "new_password": "another horse"}
        assert account("POST", "/api/auth/password", json=change).status_code == 204

    assert {table for text, _ in statements for _, table, _ in TABLES.findall(text)} == {"accounts"}
    for text, parameters in statements:
        values = parameters.values() if isinstance(parameters, dict) else parameters
        assert {email, user} & set(values), text
        if "INTO" not in text:
            assert re.search(r"WHERE accounts\.(email_key|user_id) = (?::|%\()", text), text


@pytest.mark.parametrize(
    "text",
    [
        "SELECT title FROM tasks WHERE tasks.id = ?",
        "SELECT title FROM users JOIN tasks ON tasks.user_id = users.id WHERE users.id = ?",
        "UPDATE tasks SET title = ?",
        "INSERT INTO tasks (id, title) VALUES (1, ?)",
    ],
)
def test_statement_without_the_owner_would_be_seen(text: str):
    assert not is_of((text, ("alice",)), "alice")
