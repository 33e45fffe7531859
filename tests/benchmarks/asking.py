"""One question to a contender, read as a client would; for what is not measured."""

import http.client
import json
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.callers import Caller
from tests.benchmarks.load import LOOPBACK, PATIENCE_SECONDS
from tests.benchmarks.servers import Server

OK = 200
BODY_SHOWN = 500


class UnexpectedAnswer(RuntimeError):
    """A contender does not answer as it should before anything is measured."""


@dataclass(frozen=True)
class Reply:
    """An answer with the status that was expected."""

    etag: str | None
    document: dict[str, Any]


def fetch(server: Server, path: str, token: str, expected: int = OK) -> Reply:
    """The answer to a GET; raises UnexpectedAnswer for another status."""
    connection = http.client.HTTPConnection(LOOPBACK, server.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != expected:
        shown = body[:BODY_SHOWN]
        raise UnexpectedAnswer(f"{server.label}: {answer.status} for {path}: {shown!r}")
    return Reply(answer.headers["ETag"], json.loads(body))


def etag_of(server: Server, caller: Caller, target: str) -> str:
    """The ETag of one of the caller's lists."""
    etag = fetch(server, caller.path + target, caller.token).etag
    if etag is None:
        raise UnexpectedAnswer(f"{server.label}: no ETag for {target}")
    return etag
