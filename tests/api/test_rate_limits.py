"""``RATE_LIMIT``: whom a request counts for, and how a refusal reads."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import time_machine
from starlette.testclient import TestClient

from tests.api.expect import problem, refusal
from tests.api.raw_asgi import send
from tests.api.tokens import bearer, claims, sign
from tests.conftest import Service, settings_for

MORNING = 1_800_000_000
DAY = 86_400
"""The window of most tests: a shorter one could end within a test."""
ORIGIN = "http://localhost:3000"


@pytest.fixture
def limited(database_url: str, serve: Callable[..., Service]) -> Callable[..., Service]:
    """Start a service with a limit."""
    return lambda limit, **more: serve(settings_for(database_url, rate_limit=limit, **more))


def statuses(number: int, request: Callable[[], Any]) -> list[int]:
    return [request().status_code for _ in range(number)]


def docs(client: TestClient, peer: str, forwarded: str | None = None, path: str = "/docs") -> int:
    """The status of a request without a token, from an address."""
    headers = [] if forwarded is None else [("X-Forwarded-For", forwarded)]
    return send(client, "GET", path, headers=headers, peer=peer).status_code


def limited_problem(whose: str, amount: int, window: int, answer: Any, path: str) -> dict[str, Any]:
    seconds = answer.headers["retry-after"]
    detail = f"More than {amount} requests of {whose} in {window} s; try again in {seconds} s."
    return problem("rate_limited", detail, path)


def test_a_user_over_the_limit_is_told_when_to_come_again_and_others_are_not_disturbed(limited):
    service = limited("3/day")
    alice, bob = service.caller(), service.caller()

    assert statuses(3, lambda: alice("GET", "")) == [200] * 3
    refused = alice("POST", "", json={"title": "Buy milk"}, headers={"Origin": ORIGIN})

    assert refused.status_code == 429
    assert refusal(refused) == limited_problem("this user", 3, DAY, refused, alice.tasks)
    seconds = refused.headers["retry-after"]
    assert 1 <= int(seconds) <= DAY
    assert refused.headers["ratelimit"] == f'"user-86400s";r=0;t={seconds}'
    assert refused.headers["ratelimit-policy"] == '"user-86400s";q=3;w=86400'
    exposed = refused.headers["access-control-expose-headers"].split(", ")
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(exposed)
    assert bob("GET", "").json()["total"] == 0
    assert service.client.get("/docs").status_code == 200


def test_the_limit_begins_anew_when_the_window_ends(limited):
    service = limited("2/minute")
    with time_machine.travel(MORNING, tick=False) as clock:
        alice = service.caller("alice")
        statuses(2, lambda: alice("GET", ""))
        refused = alice("GET", "")
        seconds = int(refused.headers["retry-after"])

        clock.shift(seconds - 1)
        assert alice("GET", "").headers["retry-after"] == "1"
        clock.shift(1)
        assert statuses(3, lambda: alice("GET", "")) == [200, 200, 429]
        assert alice("GET", "").headers["retry-after"] == "60"


def test_of_several_limits_the_one_that_is_met_is_named(limited):
    service = limited("2/minute; 3/day")
    with time_machine.travel(MORNING, tick=False) as clock:
        alice = service.caller("alice")
        statuses(2, lambda: alice("GET", ""))
        assert alice("GET", "").headers["ratelimit-policy"] == '"user-60s";q=2;w=60'
        clock.shift(60)
        assert alice("GET", "").status_code == 200
        assert alice("GET", "").headers["ratelimit-policy"] == '"user-86400s";q=3;w=86400'


def test_the_default_limit_is_in_minutes_and_can_be_turned_off(limited):
    assert statuses(9, lambda: limited("off").client.get("/docs")) == [200] * 9
    alice = limited("3000/minute").caller()
    assert statuses(200, lambda: alice("GET", "?limit=1&total=false")) == [200] * 200


@pytest.mark.parametrize(
    "request_of",
    [
        lambda client: client.get("/docs"),
        lambda client: client.get("/api/me/tasks"),
        lambda client: client.get("/api/me/tasks", headers=bearer(sign(claims(exp=1)))),
        lambda client: client.get("/api/me/tasks", headers={"Authorization": "Bearer x"}),
        lambda client: client.get("/nowhere"),
        lambda client: client.post("/docs"),
        lambda client: client.get("/docs/%ff"),
        lambda client: client.post("/api/auth/login", json={}),
        lambda client: client.get("/docs", headers={"Cookie": "x" * 40_000}),
    ],
    ids=["public", "no token", "expired", "bad", "404", "405", "400", "422", "431"],
)
def test_a_request_without_a_valid_token_counts_for_its_address(limited, request_of):
    service = limited("2/day")
    before = statuses(2, lambda: request_of(service.client))
    refused = request_of(service.client)

    assert 429 not in before
    path = refused.request.url.path
    assert (
        refusal(refused)["detail"]
        == limited_problem("this network address", 2, DAY, refused, path)["detail"]
    )
    assert refused.headers["ratelimit-policy"] == '"address-86400s";q=2;w=86400'
    assert service.caller()("GET", "").status_code == 200


def test_every_request_with_a_valid_token_counts_once_for_its_user(limited):
    alice = limited("6/day").caller()
    answers = [
        alice("GET", "/api/somebody-else/tasks"),
        alice("GET", "7"),
        alice("GET", "?limit=0"),
        alice("POST", "", json={}),
        alice("PATCH", "7/complete"),
        alice("GET", "", headers={"X-Forwarded-For": "192.0.2.1"}),
        alice("GET", "", headers={"X-Forwarded-For": "192.0.2.2"}),
    ]
    expected = [403, 404, 422, 422, 404, 200, 429]
    assert [answer.status_code for answer in answers] == expected


def test_a_registration_that_is_one_too_many_makes_no_account(limited):
    service = limited("1/day")
    assert service.client.get("/docs").status_code == 200
    credentials = {"email": "alice@example.com", "password": "correct horse"}

    assert service.client.post("/api/auth/register", json=credentials).status_code == 429
    with time_machine.travel(4_000_000_000, tick=False):
        assert service.client.post("/api/auth/register", json=credentials).status_code == 201


def test_probes_and_preflights_are_not_limited_and_do_not_count(limited):
    service = limited("1/day")
    preflight = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    for path in ("/health", "/livez", "/readyz"):
        assert statuses(3, lambda path=path: service.client.get(path)) == [200] * 3
    for path in ("/docs", "/api/me/tasks"):
        assert statuses(3, partial(service.client.options, path, headers=preflight)) == [200] * 3

    assert statuses(2, lambda: service.client.get("/docs")) == [200, 429]
    assert service.client.get("/readyz").status_code == 200


def test_addresses_count_by_themselves_and_those_of_a_subscriber_together(limited):
    client = limited("1/day").client

    assert [docs(client, f"192.0.2.{n}") for n in (1, 2, 1)] == [200, 200, 429]
    six = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:db8:1:3::1"]
    assert [docs(client, peer) for peer in six] == [200, 429, 200]
    assert docs(client, "::ffff:192.0.2.1") == 429


def test_without_trusted_proxies_nothing_that_a_client_writes_changes_its_address(limited):
    client = limited("1/day").client
    said = ["203.0.113.1", "203.0.113.2"]

    assert [docs(client, "127.0.0.1", name) for name in said] == [200, 429]


def test_a_trusted_proxy_names_its_client_and_nobody_else_does(limited):
    client = limited("1/day", trusted_proxies=("10.0.0.0/8", "2001:db8::7")).client

    assert docs(client, "10.0.0.1", "203.0.113.1") == 200
    assert docs(client, "2001:db8::7", "203.0.113.1, 10.0.0.9") == 429
    assert docs(client, "10.0.0.1", "198.51.100.1, 203.0.113.1") == 429  # made up by the client
    assert docs(client, "10.0.0.1", "203.0.113.2") == 200
    assert docs(client, "198.51.100.7", "203.0.113.3") == 200
    assert docs(client, "198.51.100.7", "203.0.113.4") == 429


def test_a_limited_operation_has_no_other_spelling(limited):
    client = limited("1/day").client

    assert [docs(client, "127.0.0.1", path=path) for path in ("/docs", "/docs/", "//health")] == [
        200,
        429,
        429,
    ]
