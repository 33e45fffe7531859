"""The service itself: what it is, whether it works, and what every answer carries."""

import re

import pytest

from tests.api.expect import a_page, problem, refusal
from tests.api.raw_asgi import send
from tests.conftest import SECRET, settings_for
from todo import __version__
from todo.database import schema
from todo.settings.settings import Settings

ABOUT = {
    "name": "todo-api",
    "version": __version__,
    "docs": "/docs",
    "openapi": "/openapi.json",
    "health": "/health",
    "demo": "/demo",
}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
EVERYWHERE = ["/", "/health", "/docs", "/openapi.json", "/nothing", "/api/alice/tasks"]


@pytest.mark.parametrize("path", ["/health", "/livez"])
def test_liveness_is_one_word(client, path):
    response = client.get(path)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"status": "ok"}


def test_readiness_names_the_schema(client):
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "database": "ok",
        "schema": schema.head(),
        "keys": "ok",
    }


@pytest.mark.parametrize("path", ["/", "/health", "/livez", "/readyz", "/docs", "/openapi.json"])
@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic x", ""])
def test_what_needs_no_token_ignores_a_bad_one(client, path, header):
    assert client.get(path, headers={"Authorization": header}).status_code == 200


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/*", "text/plain"])
def test_the_root_is_json_for_programs(client, accept):
    response = client.get("/", headers={"Accept": accept} if accept else {})

    assert response.headers["content-type"] == "application/json"
    assert "Accept" in response.headers["vary"]
    assert response.json() == ABOUT


@pytest.mark.parametrize("accept", [BROWSER, "text/html", "text/html;q=0.9,application/json;q=0.1"])
def test_the_root_is_a_page_for_browsers(client, accept):
    response = client.get("/", headers={"Accept": accept})

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert 'href="/docs"' in response.text
    assert re.findall(r"https?://", response.text) == []


def test_every_link_of_the_root_leads_somewhere(client):
    page = client.get("/", headers={"Accept": BROWSER}).text
    links = re.findall(r'<a href="([^"]*)"', page)

    assert links
    assert {client.get(link, follow_redirects=False).status_code for link in links} == {200}
    named = [value for value in ABOUT.values() if value.startswith("/")]
    assert {client.get(path).status_code for path in named} == {200}


@pytest.mark.parametrize("path", EVERYWHERE)
def test_a_request_id_is_echoed(client, path):
    for request_id in ("a", "9f86d081-884c:7d65/9a2f=eaa0+c55ad._015", "x" * 128):
        response = client.get(path, headers={"X-Request-ID": request_id})
        assert response.headers["x-request-id"] == request_id


@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize(
    "request_id", [None, "", "x" * 129, "two words", "<b>", 'a"b', "a\tb", "é", "a;b", "a\nb"]
)
def test_a_request_id_that_could_do_harm_is_replaced(client, path, request_id):
    headers = [] if request_id is None else [("x-request-id", request_id)]
    given = send(client, "GET", path, headers=headers).headers["x-request-id"]

    assert re.fullmatch("[0-9a-f]{32}", given)


def test_each_request_has_an_id_of_its_own(client):
    assert len({client.get("/health").headers["x-request-id"] for _ in range(20)}) == 20


@pytest.mark.parametrize("path", EVERYWHERE)
def test_no_answer_may_be_sniffed(client, path):
    assert client.get(path).headers["x-content-type-options"] == "nosniff"


def test_the_embedded_default_needs_nothing_to_be_set_up(serve, tmp_path):
    folder = tmp_path / "not yet" / "instance"
    settings = Settings(better_auth_secret=SECRET, instance_path=folder)
    first, second = serve(settings).caller("alice"), serve(settings).caller("alice")
    task = first.create()

    assert (folder / "todo.db").is_file()
    assert second("GET", "").json() == a_page([task])


# What depends on a database that does not work.


def test_a_sqlite_file_without_the_schema_is_not_ready(serve, tmp_path):
    client = serve(settings_for(f"sqlite:///{tmp_path / 'empty.db'}")).client
    response = client.get("/readyz")

    body = refusal(response)
    assert body == problem("schema_outdated", body["detail"], "/readyz")
    assert response.headers["retry-after"] == "30"


def test_a_database_that_was_taken_back_is_not_ready(database_url, serve):
    schema.migrate(database_url, "base")
    response = serve(settings_for(database_url)).client.get("/readyz")

    body = refusal(response)
    assert body == problem("schema_outdated", body["detail"], "/readyz")
    assert "todo migrate" in body["detail"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lost(request, serve, tmp_path_factory):
    """An application whose database cannot be reached."""
    folder = tmp_path_factory.mktemp("lost")
    url = {
        "sqlite": f"sqlite:///{folder / 'no' / 'such' / 'folder' / 'todo.db'}",
        "postgresql": "postgresql://nobody@127.0.0.1:1/nothing",
    }[request.param]
    return serve(settings_for(url))


@pytest.mark.parametrize("path", ["/readyz", "/api/me/tasks", "/api/me/tasks/1"])
def test_without_a_database_the_answer_is_503_with_retry_after(lost, path):
    response = lost.caller()("GET", path)

    detail = "The database is unavailable right now."
    assert refusal(response) == problem("database_unavailable", detail, path)
    assert response.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/health", 200),
        ("/livez", 200),
        ("/", 200),
        ("/docs", 200),
        ("/openapi.json", 200),
        ("/problems/busy", 200),
        ("/nothing", 404),
        ("/api/somebody/tasks", 403),
        ("/api/me/tasks/abc", 404),
        ("/api/me/tasks?limit=0", 422),
    ],
)
def test_what_needs_no_database_is_answered_without_one(lost, path, status):
    assert lost.caller()("GET", path).status_code == status


def test_a_missing_token_is_noticed_without_a_database(lost):
    assert lost.client.get("/api/alice/tasks").status_code == 401


def test_a_preflight_is_answered_without_a_database(lost):
    headers = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "PUT"}

    assert lost.client.options("/api/alice/tasks/1", headers=headers).status_code == 200
