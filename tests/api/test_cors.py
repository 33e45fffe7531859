"""CORS: what a browser page on another origin may do, and what it may read."""

from collections.abc import Callable

import pytest

from tests.api.raw_asgi import send
from tests.conftest import DIALECTS, Caller, Service, settings_for
from todo.database.engine import maintenance_engine
from todo.settings.settings import Settings

FRONT_END = "http://localhost:3000"
EXPOSED = {
    "ETag", "Link", "Location", "Retry-After", "WWW-Authenticate", "X-Request-ID",
    "Idempotency-Replayed", "RateLimit", "RateLimit-Policy", "Revision",
}  # fmt: skip


def names(header):
    """The members of a header that is a list."""
    return {name.strip() for name in header.split(",")}


def preflight(
    client, method, path="/api/alice/tasks/1", *, headers="authorization", origin=FRONT_END, **more
):
    """Ask for permission as a browser does: without a token."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
        **more,
    }
    return client.options(path, headers=asked)


def assert_readable(response, origin=FRONT_END):
    """The page that asked may read the answer and the headers that the contract names."""
    assert response.headers["access-control-allow-origin"] == origin
    assert response.headers["access-control-allow-credentials"] == "true"
    assert names(response.headers["access-control-expose-headers"]) == EXPOSED
    assert "Origin" in names(response.headers["vary"])


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_a_preflight_is_answered_without_a_token(client, method):
    response = preflight(client, method, headers="authorization, content-type")

    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == FRONT_END
    assert response.headers["access-control-allow-credentials"] == "true"
    assert method in names(response.headers["access-control-allow-methods"])
    assert names(response.headers["access-control-allow-headers"]) == {
        "authorization", "content-type",
    }  # fmt: skip
    assert "Origin" in names(response.headers["vary"])


@pytest.mark.parametrize(
    "headers",
    [
        "authorization",
        "Authorization, Content-Type",
        "authorization,content-type,if-match,if-none-match,idempotency-key,x-request-id,traceparent",
        "accept, accept-language, content-type",
        "authorization,baggage,sentry-trace",
        "authorization,traceparent,tracestate,x-datadog-trace-id,x-b3-traceid,request-id",
        "authorization,x-requested-with,x-csrf-token,x-xsrf-token",
        "authorization,cache-control,pragma,prefer,if-modified-since",
        "authorization,ngrok-skip-browser-warning,x-something-of-our-own",
    ],
)
def test_a_preflight_allows_whatever_headers_a_front_end_sends(client, headers):
    response = preflight(client, "PUT", headers=headers)

    assert response.status_code == 200
    assert response.headers["access-control-allow-headers"] == headers
    assert response.headers["access-control-allow-credentials"] == "true"
    assert "access-control-request-headers" in names(response.headers["vary"].lower())


def test_a_preflight_without_headers_of_its_own_is_answered(client):
    asked = {"Origin": FRONT_END, "Access-Control-Request-Method": "GET"}

    assert client.options("/api/alice/tasks", headers=asked).status_code == 200


def test_a_page_of_the_internet_may_call_a_server_on_the_local_network(client):
    private = {"Access-Control-Request-Private-Network": "true"}
    asked, unasked = preflight(client, "GET", **private), preflight(client, "GET")

    assert (asked.status_code, unasked.status_code) == (200, 200)
    assert asked.headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-private-network" not in unasked.headers


@pytest.mark.parametrize("path", ["/api/alice/tasks", "/api/alice/tasks/1/complete", "/health"])
def test_a_preflight_is_answered_on_every_path(client, path):
    assert preflight(client, "GET", path).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://localhost:3000",
        "http://localhost:3001",
        "http://localhost",
        "http://localhost:3000.evil.example",
        "http://evil.example/http://localhost:3000",
        "HTTP://LOCALHOST:3000",
        "null",
        "*",
    ],
)
def test_another_origin_gets_no_permission(client, alice, origin):
    refused = preflight(client, "GET", origin=origin)
    listed = alice("GET", "", headers={"Origin": origin})

    assert refused.status_code == 400
    assert refused.text == f"Disallowed CORS origin; CORS_ORIGINS does not contain {origin!r}"
    assert refused.headers["content-length"] == str(len(refused.content))
    assert "access-control-allow-origin" not in refused.headers
    assert listed.status_code == 200
    assert "access-control-allow-origin" not in listed.headers
    assert "Origin" in names(listed.headers["vary"])


def test_a_refused_origin_is_named_in_short_and_without_control_characters(client):
    asked = [
        ("host", "api.example"),
        ("origin", b"http://\x85" + b"x" * 500),
        ("access-control-request-method", "GET"),
    ]
    refused = send(client, "OPTIONS", "/api/alice/tasks", headers=asked)

    text = f"Disallowed CORS origin; CORS_ORIGINS does not contain 'http://\\x85{'x' * 192}'"
    assert (refused.status_code, refused.text) == (400, text)


@pytest.mark.parametrize("method", ["TRACE", "BREW", "patch"])
def test_a_preflight_for_another_method_is_refused(client, method):
    refused = preflight(client, method)

    assert (refused.status_code, refused.text) == (400, "Disallowed CORS method")


def test_an_answer_may_be_read_by_the_front_end(alice):
    response = alice("POST", "", json={"title": "Buy milk"}, headers={"Origin": FRONT_END})

    assert response.status_code == 201
    assert_readable(response)


def test_an_answer_without_an_origin_carries_no_permission(alice):
    response = alice("GET", "")

    assert [name for name in response.headers if name.startswith("access-control-")] == []
    assert "Origin" in names(response.headers["vary"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "{}?q=x", 400),
        ("GET", "/api/somebody/tasks", 403),
        ("GET", "{}/9", 404),
        ("GET", "/nothing", 404),
        ("GET", "/api//tasks", 404),
        ("GET", "/api/%ff/tasks", 400),
        ("DELETE", "{}", 405),
        ("OPTIONS", "{}", 405),
        ("GET", "/" + "x" * 5000, 414),
        ("GET", "{}?limit=0", 422),
        ("HEAD", "{}/9", 404),
    ],
)
def test_errors_may_be_read_by_the_front_end(alice, method, path, status):
    response = alice(method, path.format(alice.tasks), headers={"Origin": FRONT_END})

    assert response.status_code == status
    assert_readable(response)


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"x" * 70_000, "application/json", 413),
        (b"{}", "text/plain", 415),
        (b"{}", "application/json", 422),
    ],
)
def test_errors_of_a_body_may_be_read_by_the_front_end(alice, content, media_type, status):
    headers = {"Origin": FRONT_END, "Content-Type": media_type}
    response = alice("POST", "", content=content, headers=headers)

    assert response.status_code == status
    assert_readable(response)


def test_a_401_may_be_read_by_the_front_end(client):
    response = client.get("/api/alice/tasks", headers={"Origin": FRONT_END})

    assert response.status_code == 401
    assert_readable(response)


@pytest.fixture
def outdated(database_url: str, serve: Callable[[Settings], Service]) -> Caller:
    """A user of an application whose database lost a table."""
    engine = maintenance_engine(database_url)
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE tasks")
    engine.dispose()
    return serve(settings_for(database_url)).caller()


def test_a_503_may_be_read_by_the_front_end(outdated):
    response = outdated("GET", "", headers={"Origin": FRONT_END})

    assert response.status_code == 503
    assert response.headers["retry-after"] == "30"
    assert_readable(response)


ORIGINS = ("https://app.example.com", "http://127.0.0.1:5173")


@pytest.fixture(scope="module", params=DIALECTS)
def elsewhere(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    serve: Callable[[Settings], Service],
) -> Service:
    """An application whose front ends are on two origins, none of them the default."""
    return serve(settings_for(new_database(request.param), cors_origins=ORIGINS))


@pytest.mark.parametrize("origin", ORIGINS)
def test_origins_are_a_setting(elsewhere, origin):
    response = elsewhere.caller()("GET", "", headers={"Origin": origin})

    assert_readable(response, origin)
    assert preflight(elsewhere.client, "PUT", origin=origin).status_code == 200


def test_the_default_origin_is_gone_once_others_are_set(elsewhere):
    response = elsewhere.caller()("GET", "", headers={"Origin": FRONT_END})

    assert "access-control-allow-origin" not in response.headers
    assert preflight(elsewhere.client, "PUT").status_code == 400
