"""Every problem code: documented, and reached in the circumstances that it is for.

`REACHED` has one row for each code. A code without a row fails, and so does a row whose
circumstances give another code.
"""

import functools
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from html import escape
from typing import Any

import jwt
import psycopg2
import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from tests.api.raw_asgi import send, send_as_it_is, stall
from tests.conftest import SECRET, Caller, Service, settings_for
from tests.contract.reading import SPECS, table
from tests.integration.application import engine_of, running
from tests.integration.concurrently import together
from tests.integration.locks import holding
from tests.integration.tables import slow_down
from tests.servers.issuer import issuing
from tests.servers.process import free_port
from todo.database import deadline, schema
from todo.http import responses
from todo.http.asgi import request_limits, turns
from todo.http.asgi.request_limits import MAX_BODY, MAX_HEADERS, MAX_TARGET
from todo.problem_types import PROBLEM_TYPES, RETRY_AFTER, ProblemType
from todo.problems import MAX_BODY as MAX_PROBLEM
from todo.problems import MEDIA_TYPE
from todo.sync import streams
from todo.sync.sync_tokens import Place

ISSUER, AUDIENCE = "https://issuer.example", "https://api.example"


@dataclass(frozen=True)
class World:
    """What a circumstance may use: two applications with nothing wrong, and any others."""

    plain: Service
    particular: Service
    new_database: Callable[[str], str]
    start: Callable[..., Service]

    def alice(self) -> Caller:
        """A new user of the plain application."""
        return self.plain.caller()

    def with_claims(self, key: str = SECRET, algorithm: str = "HS256", **changes: Any) -> Any:
        """The answer to a token with changed claims; a change to ``None`` leaves a claim out."""
        claims = {"sub": "alice", "exp": int(time.time()) + 60, "iss": ISSUER, "aud": AUDIENCE}
        payload = {name: value for name, value in (claims | changes).items() if value is not None}
        return self.with_token(jwt.encode(payload, key, algorithm))

    def with_token(self, token: str) -> Any:
        return Caller(self.particular.client, "alice", token)("GET", "")


@pytest.fixture(scope="module")
def world(new_database: Callable[[str], str]) -> Iterator[World]:
    with ExitStack() as stack:

        def start(url: str, **changes: Any) -> Service:
            return stack.enter_context(running(settings_for(url, **changes)))

        plain = start(new_database("sqlite"))
        particular = start(
            new_database("sqlite"), auth_jwt_issuer=ISSUER, auth_jwt_audience=AUDIENCE
        )
        yield World(plain, particular, new_database, start)


def changed_already(alice: Caller) -> Any:
    alice.create()
    return alice("DELETE", "1", headers={"If-Match": '"another"'})


def key_of_another_request(alice: Caller) -> Any:
    for title in ("Buy milk", "Buy bread"):
        response = alice("POST", "", json={"title": title}, headers={"Idempotency-Key": "x"})
    return response


Circumstance = Callable[[World], Any]
REACHED: dict[str, Circumstance] = {
    "malformed_target": lambda world: world.alice()("GET", "%ff"),
    "malformed_host": lambda world: send_as_it_is(world.plain.client, "GET", "/health"),
    "malformed_json": lambda world: world.alice()(
        "POST", "", content=b"{", headers={"Content-Type": "application/json"}
    ),
    "body_required": lambda world: world.alice()("POST", ""),
    "unexpected_body": lambda world: world.alice()("GET", "", content=b"[]"),
    "unknown_parameter": lambda world: world.alice()("GET", "?colour=green"),
    "repeated_parameter": lambda world: world.alice()("GET", "?limit=1&limit=1"),
    "token_missing": lambda world: world.plain.client.get("/api/me/tasks"),
    "token_malformed": lambda world: world.with_token("an-opaque-session-token"),
    "token_expired": lambda world: world.with_claims(exp=int(time.time()) - 60),
    "token_not_yet_valid": lambda world: world.with_claims(nbf=int(time.time()) + 60),
    "alg_not_allowed": lambda world: world.with_claims(algorithm="HS384", key=SECRET * 2),
    "signature_invalid": lambda world: world.with_claims(key="another-secret-" + SECRET),
    "issuer_mismatch": lambda world: world.with_claims(iss="https://elsewhere.example"),
    "audience_mismatch": lambda world: world.with_claims(aud="https://elsewhere.example"),
    "claim_missing": lambda world: world.with_claims(sub=None),
    "user_path_mismatch": lambda world: world.alice()("GET", "/api/bob/tasks"),
    "not_found": lambda world: world.alice()("GET", "/api/me/boards"),
    "task_not_found": lambda world: world.alice()("GET", "1"),
    "list_not_found": lambda world: world.alice()("GET", "/api/me/lists/1"),
    "tag_not_found": lambda world: world.alice()("DELETE", "/api/me/tags?name=x"),
    "method_not_allowed": lambda world: world.alice()("POST", "1"),
    "precondition_failed": lambda world: changed_already(world.alice()),
    "body_too_large": lambda world: world.alice()("POST", "", content=b" " * (MAX_BODY + 1)),
    "idempotency_key_reused": lambda world: key_of_another_request(world.alice()),
    "target_too_long": lambda world: world.alice()("GET", f"?{'x' * MAX_TARGET}"),
    "headers_too_large": lambda world: world.alice()(
        "GET", "", headers={"Cookie": "x" * MAX_HEADERS}
    ),
    "unsupported_media_type": lambda world: world.alice()("POST", "", content=b"title=x"),
    "validation_failed": lambda world: world.alice()("POST", "", json={}),
}


def reaches(code: str) -> Callable[[Circumstance], Circumstance]:
    """Add the row of `code`."""

    def add(circumstance: Circumstance) -> Circumstance:
        REACHED[code] = circumstance
        return circumstance

    return add


@reaches("body_incomplete")
def a_body_that_the_http_server_has_lost(world: World) -> Any:
    headers = [("upgrade", "h2c"), ("content-length", "20")]
    return send(world.plain.client, "POST", "/api/auth/login", headers=headers)


@reaches("body_timeout")
def a_body_that_never_ends(world: World) -> Any:
    alice = world.alice()
    headers = [
        ("authorization", f"Bearer {alice.token}"),
        ("content-type", "application/json"),
        ("transfer-encoding", "chunked"),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(request_limits, "BODY_SECONDS", 0.05)
        return stall(alice.client, "POST", alice.tasks, headers=headers, chunks=[b'{"title": '])


@reaches("idempotency_key_in_progress")
def a_repeat_that_waits_too_long(world: World) -> Any:
    url = world.new_database("postgresql")
    alice = world.start(url).caller("alice")
    alice.create()
    toggle = functools.partial(alice, "PATCH", "1/complete", headers={"Idempotency-Key": "x"})
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as other:
        other.execute("SELECT 1 FROM users FOR UPDATE")
        first_or_repeat = together([toggle] * 2)
    return min(first_or_repeat, key=lambda response: response.status_code)


@reaches("too_many_requests")
def a_third_change_while_two_wait_for_the_user(world: World) -> Any:
    url = world.new_database("postgresql")
    alice = world.start(url).caller("alice")
    alice.create()
    with pytest.MonkeyPatch.context() as patch, holding(url, "alice"):
        patch.setattr(turns, "QUEUE_PER_USER", 0)
        two_and_one = together([lambda: alice("PATCH", "1/complete")] * 3)
    return min(two_and_one, key=lambda response: response.status_code)


@reaches("changes_expired")
def a_place_of_another_database(world: World) -> Any:
    alice = world.alice()
    return alice("GET", f"/api/{alice.id}/changes", params={"since": Place(1, "0" * 16).token})


@reaches("not_undoable")
def an_undo_of_what_nobody_did(world: World) -> Any:
    alice = world.alice()
    return alice("POST", f"/api/{alice.id}/undo", json={"revision": 1})


@reaches("too_many_streams")
def a_stream_where_none_is_allowed(world: World) -> Any:
    alice = world.alice()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "MOST_OF_A_USER", 0)
        return alice("GET", f"/api/{alice.id}/events")


@reaches("change_too_large")
def a_change_that_takes_longer_than_it_may(world: World) -> Any:
    url = world.new_database("sqlite")
    alice = world.start(url).caller("alice")
    alice.create()
    slow_down(url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(responses, "MANY_SECONDS", 0.05)
        patch.setattr(deadline, "STATEMENT_SECONDS", 0.02)  # what is more is a long unit of work
        return alice("POST", "complete-all", json={"completed": True})


@reaches("quota_exceeded")
def more_tasks_than_a_user_may_have(world: World) -> Any:
    alice = world.start(world.new_database("sqlite"), tasks_per_user=1).caller("alice")
    alice.create()
    return alice("POST", "", json={"title": "One too many"})


@reaches("internal_error")
def a_database_that_refuses_what_it_must_take(world: World) -> Any:
    url = world.new_database("sqlite")
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute(
            "CREATE TRIGGER defect BEFORE INSERT ON tasks BEGIN SELECT RAISE(ABORT, 'secret'); END"
        )
    with capture_logs() as logs:
        response = world.start(url).caller("alice")("POST", "", json={"title": "Buy milk"})
    assert "secret" not in response.text
    assert [(entry["event"], "secret" in str(entry["exc_info"])) for entry in logs] == [
        ("request.crashed", True)
    ]
    return response


@reaches("database_unavailable")
def no_server_where_the_database_should_be(world: World) -> Any:
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/todo"
    return world.start(url).caller("alice")("POST", "", json={"title": "Buy milk"})


def ask_with_a_key_that_nobody_has(world: World, mood: str) -> Any:
    with issuing() as issuer:
        issuer.add("first")
        issuer.add("second")
        token = issuer.sign("second")
        del issuer.keys["second"]
        issuer.mood = mood
        service = world.start(world.new_database("sqlite"), better_auth_url=issuer.origin)
        return Caller(service.client, "alice", token)("GET", "")


@reaches("kid_unknown")
def a_key_that_the_issuer_does_not_have(world: World) -> Any:
    return ask_with_a_key_that_nobody_has(world, "well")


@reaches("keys_unavailable")
def an_issuer_that_has_no_answer(world: World) -> Any:
    return ask_with_a_key_that_nobody_has(world, "failing")


def a_session(world: World) -> tuple[dict[str, str], Caller]:
    """The credentials of a new account, and its holder."""
    credentials = {"email": f"{uuid.uuid4().hex}@example.com", "password": "correct horse"}
    session = world.plain.client.post("/api/auth/register", json=credentials).json()
    return credentials, Caller(world.plain.client, session["user"]["id"], session["token"])


@reaches("token_revoked")
def a_token_of_an_earlier_password(world: World) -> Any:
    _, holder = a_session(world)
    change = {"password": "correct horse", "new_password": "another horse"}
    assert holder("POST", "/api/auth/password", json=change).status_code == 204
    return holder("GET", "")


@reaches("invalid_credentials")
def a_login_with_another_password(world: World) -> Any:
    credentials, _ = a_session(world)
    return world.plain.client.post(
        "/api/auth/login", json={**credentials, "password": "wrong horse"}
    )


@reaches("wrong_password")
def a_change_of_a_password_that_is_not_known(world: World) -> Any:
    _, holder = a_session(world)
    change = {"password": "wrong horse", "new_password": "another horse"}
    return holder("POST", "/api/auth/password", json=change)


@reaches("not_a_local_account")
def a_renewal_of_somebody_elses_token(world: World) -> Any:
    return world.alice()("POST", "/api/auth/renew")


@reaches("email_taken")
def an_account_that_is_there_already(world: World) -> Any:
    credentials, _ = a_session(world)
    return world.plain.client.post("/api/auth/register", json=credentials)


@reaches("rate_limited")
def a_user_in_a_loop(world: World) -> Any:
    alice = world.start(world.new_database("sqlite"), rate_limit="1/hour").caller()
    assert alice("GET", "").status_code == 200
    return alice("GET", "")


@reaches("too_many_attempts")
def one_password_too_many(world: World) -> Any:
    credentials, _ = a_session(world)
    wrong = {**credentials, "password": "wrong horse"}
    tried = [world.plain.client.post("/api/auth/login", json=wrong) for _ in range(11)]
    assert {answer.status_code for answer in tried[:10]} == {401}
    return tried[-1]


@reaches("outcome_unknown")
def a_connection_that_dies_while_committing(world: World) -> Any:
    url = world.new_database("postgresql")
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER dies_at_commit AFTER INSERT ON tasks
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()
            """
        )
    return world.start(url).caller("alice")("POST", "", json={"title": "Buy milk"})


@reaches("busy")
def an_owner_whom_somebody_else_holds_locked(world: World) -> Any:
    url = world.new_database("postgresql")
    alice = world.start(url).caller("alice")
    alice.create()
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM users FOR UPDATE")
        return alice("POST", "", json={"title": "Buy bread"})


@reaches("schema_outdated")
def a_database_that_is_of_another_release(world: World) -> Any:
    url = world.new_database("sqlite")
    schema.migrate(url, "base")
    return world.start(url).caller("alice")("GET", "")


@reaches("storage_full")
def a_file_that_may_not_grow(world: World) -> Any:
    service = world.start(world.new_database("sqlite"))

    @event.listens_for(engine_of(service), "connect")
    def limit(connection: Any, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # raised to what the file has

    alice = service.caller("alice")
    responses = (
        alice("POST", "", json={"title": "Fill", "description": "x" * 1000}) for _ in range(100)
    )
    return next(response for response in responses if response.status_code != 201)


def test_every_reached_code_is_in_the_table():
    assert REACHED.keys() == PROBLEM_TYPES.keys()


@pytest.mark.deadlines
@pytest.mark.parametrize("code", PROBLEM_TYPES)
def test_code_is_reached(code: str, world: World):
    response = REACHED[code](world)
    problem = response.json()
    kind = PROBLEM_TYPES[code]

    assert (response.status_code, problem["code"]) == (kind.status, code), response.text
    assert response.headers["content-type"] == MEDIA_TYPE
    assert len(response.content) <= MAX_PROBLEM
    assert problem["type"] == f"/problems/{code}"
    assert (problem["status"], problem["title"]) == (kind.status, kind.title)
    assert isinstance(problem["detail"], str)
    waits = response.headers.get("retry-after")
    if kind.status == 429:  # as long as it takes
        assert 0 < int(waits) <= 3600
    else:
        assert waits == (str(RETRY_AFTER[code]) if code in RETRY_AFTER else None)
    assert ("www-authenticate" in response.headers) == (kind.status == 401)


@pytest.mark.parametrize(("code", "kind"), PROBLEM_TYPES.items())
def test_code_has_a_page_that_its_type_leads_to(code: str, kind: ProblemType, service: Service):
    document = service.client.get(f"/problems/{code}")
    page = service.client.get(f"/problems/{code}", headers={"Accept": "text/html"})

    assert document.json() == {"code": code, **vars(kind)}
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for word in (code, str(kind.status), kind.title, kind.advice):
        assert escape(word) in page.text


def test_spec_has_the_same_codes():
    rows = table(SPECS / "api" / "errors.md", "code")
    assert [(code, int(status), title, advice) for code, status, title, _, advice in rows] == [
        (code, kind.status, kind.title, kind.advice.replace("`", ""))
        for code, kind in PROBLEM_TYPES.items()
    ]
    assert all(meaning for _, _, _, meaning, _ in rows)
