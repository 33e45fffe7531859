"""What a client hears when the database cannot serve it."""

import httpx2

from tests.conftest import Caller
from tests.integration.concurrently import together

RETRY_AFTER = {
    "database_unavailable": "2",
    "outcome_unknown": "1",
    "busy": "1",
    "schema_outdated": "30",
}


def assert_503(response: httpx2.Response, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (503, code)
    assert response.headers["retry-after"] == RETRY_AFTER[code]
    assert response.headers["content-type"] == "application/problem+json"


def every_request(caller: Caller) -> list[httpx2.Response]:
    """One request of each operation that needs the database, all at once."""
    return together(
        [
            lambda: caller("GET", "/readyz"),
            lambda: caller("GET", ""),
            lambda: caller("GET", "1"),
            lambda: caller("POST", "", json={"title": "Buy oat milk"}),
            lambda: caller("PUT", "1", json={"title": "Buy oat milk"}),
            lambda: caller("PATCH", "1", json={"title": "Buy oat milk"}),
            lambda: caller("PATCH", "1/complete"),
            lambda: caller("DELETE", "1"),
        ]
    )
