"""The floor: WSGI and psycopg2, no framework; the least work that gives these answers.

It checks the token's signature (not its expiry), the owner and nothing else: a wrong body fails
where it is used, and its error is the answer. Nobody should deploy this; it says how much of the
cost of the others is Python, PostgreSQL and HTTP, which no framework can take away.

Served with `gunicorn tests.benchmarks.stacks.floor:app`, workers of threads; one connection for
each thread, in autocommit, so that every request is one statement.
"""

import base64
import hmac
import threading
from collections.abc import Callable, Sequence
from http import HTTPStatus
from os import environ
from typing import Any
from urllib.parse import parse_qsl

import orjson
import psycopg2.pool

from tests.benchmarks.stacks.tables import COLUMNS

SECRET = environ["BETTER_AUTH_SECRET"].encode()
THREADS = 8
WRITABLE = ("title", "description", "completed", "priority", "due_date", "tags")
ROW = ", ".join(COLUMNS)
OF_TASK = f"WHERE id = %s AND user_id = %s RETURNING {ROW}"

Answer = tuple[HTTPStatus, Any]


class Pool:
    """The worker's connections, opened when its first request comes (a fork would share them)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: psycopg2.pool.ThreadedConnectionPool | None = None

    def open(self) -> psycopg2.pool.ThreadedConnectionPool:
        """The pool of this process."""
        with self._lock:
            if self._pool is None:
                self._pool = psycopg2.pool.ThreadedConnectionPool(
                    THREADS, THREADS, environ["DATABASE_URL"]
                )
            return self._pool

    def rows(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """What one statement returns."""
        pool = self.open()
        connection = pool.getconn()
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall()
        finally:
            pool.putconn(connection)


POOL = Pool()


def subject_of(authorization: str) -> str | None:
    """The `sub` of an HS256 token whose signature is right."""
    signed, _, signature = authorization.removeprefix("Bearer ").rpartition(".")
    digest = hmac.digest(SECRET, signed.encode(), "sha256")
    if not hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"="), signature.encode()):
        return None
    payload = signed.rpartition(".")[2]
    return str(orjson.loads(base64.urlsafe_b64decode(payload + "=="))["sub"])


def task_of(rows: list[tuple[Any, ...]], status: HTTPStatus = HTTPStatus.OK) -> Answer:
    """The first row as a task; 404 when there is none."""
    if not rows:
        return HTTPStatus.NOT_FOUND, {"detail": "Task not found"}
    return status, dict(zip(COLUMNS, rows[0], strict=True))


def list_tasks(owner: str, query: dict[str, str]) -> Answer:
    """One page, newest first, with the total from the same statement."""
    filters = [name for name in ("completed", "priority") if name in query]
    where = "".join(f" AND {name} = %s" for name in filters)
    values = [owner, *(query[name] for name in filters)]
    skip, limit = int(query.get("skip", 0)), int(query.get("limit", 100))
    count = f"SELECT count(*) FROM task WHERE user_id = %s{where}"  # noqa: S608 - names
    rows = POOL.rows(
        f"SELECT ({count}), {ROW} FROM task WHERE user_id = %s{where}"  # noqa: S608
        " ORDER BY id DESC OFFSET %s LIMIT %s",
        [*values, *values, skip, limit],
    )
    return HTTPStatus.OK, {
        "tasks": [dict(zip(COLUMNS, row[1:], strict=True)) for row in rows],
        "total": rows[0][0] if rows else 0,
        "skip": skip,
        "limit": limit,
    }


def create_task(owner: str, body: dict[str, Any]) -> Answer:
    """Insert what the body names; no title is the only mistake that is seen before."""
    names = ["title", *(name for name in WRITABLE[1:] if name in body)]
    places = ", %s" * len(names)
    statement = (
        f"INSERT INTO task (user_id, {', '.join(names)})"  # noqa: S608 - names
        f" VALUES (%s{places}) RETURNING {ROW}"
    )
    return task_of(
        POOL.rows(statement, [owner, *(body[name] for name in names)]), HTTPStatus.CREATED
    )


def update_task(owner: str, task: str, body: dict[str, Any]) -> Answer:
    """Set what the body names."""
    names = [name for name in WRITABLE if name in body]
    assignments = "".join(f"{name} = %s, " for name in names)
    statement = f"UPDATE task SET {assignments}updated_at = now() {OF_TASK}"  # noqa: S608
    return task_of(POOL.rows(statement, [*(body[name] for name in names), task, owner]))


def complete_task(owner: str, task: str) -> Answer:
    """Toggle completion."""
    statement = f"UPDATE task SET completed = NOT completed, updated_at = now() {OF_TASK}"  # noqa: S608
    return task_of(POOL.rows(statement, [task, owner]))


def get_task(owner: str, task: str) -> Answer:
    """One task."""
    statement = f"SELECT {ROW} FROM task WHERE id = %s AND user_id = %s"  # noqa: S608
    return task_of(POOL.rows(statement, [task, owner]))


def body_of(environment: dict[str, Any]) -> dict[str, Any]:
    """The request's JSON object."""
    document: dict[str, Any] = orjson.loads(
        environment["wsgi.input"].read(int(environment["CONTENT_LENGTH"]))
    )
    return document


def answer(environment: dict[str, Any]) -> Answer:
    """What the caller asks for, unless the token is not theirs."""
    path = environment["PATH_INFO"].split("/")[2:]  # of /api/{user_id}/tasks/{task_id}/complete
    owner = subject_of(environment.get("HTTP_AUTHORIZATION", ""))
    if owner is None:
        return HTTPStatus.UNAUTHORIZED, {"detail": "Invalid token"}
    if path[0] != owner:
        return HTTPStatus.FORBIDDEN, {"detail": "Not your resource"}
    if path[2:]:
        return answer_of_task(environment, owner, path[2:])
    if environment["REQUEST_METHOD"] == "POST":
        return create_task(owner, body_of(environment))
    return list_tasks(owner, dict(parse_qsl(environment["QUERY_STRING"])))


def answer_of_task(environment: dict[str, Any], owner: str, path: list[str]) -> Answer:
    """What is asked for of one task."""
    match environment["REQUEST_METHOD"], path:
        case "GET", [task]:
            return get_task(owner, task)
        case "PUT", [task]:
            return update_task(owner, task, body_of(environment))
        case "PATCH", [task, "complete"]:
            return complete_task(owner, task)
    return HTTPStatus.NOT_FOUND, {"detail": "Not found"}


def app(environment: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    """The WSGI application."""
    try:
        status, document = answer(environment)
    except (KeyError, ValueError, psycopg2.DataError) as error:
        status, document = HTTPStatus.BAD_REQUEST, {"detail": str(error)}
    content = orjson.dumps(document)
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [content]
