"""Behind a proxy that takes a prefix off each path: every link for clients begins with it."""

import json
import re
from collections.abc import Callable
from functools import cache

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from tests.conftest import Service, settings_for
from todo.settings.settings import Settings

PREFIX = "/todo-api"
PUBLIC = f"https://example.com{PREFIX}"


@pytest.fixture(scope="module")
def prefixed(
    new_database: Callable[[str], str], serve: Callable[[Settings], Service]
) -> Callable[[str], Service]:
    return cache(lambda backend: serve(settings_for(new_database(backend), root_path=PREFIX)))


@pytest.fixture
def service(backend: str, prefixed: Callable[[str], Service]) -> Service:
    """In place of the one of the session: what it gets are the paths that the proxy leaves."""
    return prefixed(backend)


def behind_the_proxy(link: str) -> str:
    """The path that the proxy makes of a client's."""
    assert link.startswith(f"{PREFIX}/")
    return link.removeprefix(PREFIX)


def test_location_leads_a_client_to_the_new_task(alice):
    created = alice("POST", "", json={"title": "Buy milk"})
    location = created.headers["location"]

    assert location == f"{PREFIX}/api/{alice.id}/tasks/{created.json()['id']}"
    assert alice("GET", behind_the_proxy(location)).json() == created.json()


def test_a_repeat_has_the_location_of_the_prefix_that_holds_now(alice, service, serve):
    key = {"Idempotency-Key": "the-only-one"}
    created = alice("POST", "", json={"title": "Buy milk"}, headers=key)
    moved = serve(settings_for(service.settings.sqlalchemy_url, root_path="/moved"))
    again = moved.caller(alice.id)("POST", "", json={"title": "Buy milk"}, headers=key)

    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == created.json()
    assert again.headers["location"] == created.headers["location"].replace(PREFIX, "/moved")


def test_link_leads_a_client_to_the_next_page(alice):
    tasks = [alice.create(f"Task {number}") for number in range(3)]
    page = alice("GET", "?limit=2&order=asc")
    [link] = re.findall(r'^<(.*)>; rel="next"$', page.headers["link"])

    assert alice("GET", behind_the_proxy(link)).json()["tasks"] == tasks[2:]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/me/tasks/1", "task_not_found"),
        ("GET", "/nowhere", "not_found"),
        ("DELETE", "/health", "method_not_allowed"),
        ("GET", "/api/%FF/tasks", "malformed_target"),
    ],
)
def test_the_type_of_a_problem_leads_a_client_to_its_page(alice, client, method, path, code):
    problem = alice(method, path).json()
    kind = client.get(behind_the_proxy(problem["type"])).json()

    assert (problem["code"], problem["type"]) == (code, f"{PREFIX}/problems/{code}")
    assert problem["instance"].startswith(f"{PREFIX}/")
    assert (kind["code"], kind["title"]) == (code, problem["title"])


def test_the_service_links_to_what_is_there(client):
    about = client.get("/").json()
    links = {name: about[name] for name in ("docs", "openapi", "health", "demo")}
    page = client.get("/", headers={"Accept": "text/html"}).text
    paths = [*links.values(), *re.findall(r'href="(/[^"]*)"', page)]

    assert links == {
        "docs": f"{PREFIX}/docs",
        "openapi": f"{PREFIX}/openapi.json",
        "health": f"{PREFIX}/health",
        "demo": f"{PREFIX}/demo",
    }
    assert len(paths) == 9
    assert {client.get(behind_the_proxy(path)).status_code for path in paths} == {200}


@pytest.mark.parametrize("page", ["/docs", "/demo", "/problems/busy"])
def test_no_page_has_a_link_that_goes_past_the_prefix(client, page):
    files = re.findall(r'(?:src|href)="([^"]*)"', client.get(page).text)
    loaded = "".join(
        client.get(f"/{file}").text for file in files if file.startswith(("docs/", "demo/"))
    )

    assert [file for file in files if file.startswith("/")] == []
    assert re.findall(r"""["'`](?:/api|/docs|/demo|/openapi)""", loaded) == []


def test_the_contract_names_the_prefix_as_its_server(client):
    server = {"url": PREFIX, "description": "This server"}

    assert client.get("/openapi.json").json()["servers"] == [server]
    assert f"servers:\n- url: {PREFIX}\n" in client.get("/openapi.yaml").text


def test_the_contract_names_the_public_url_as_its_server_which_has_the_prefix_at_its_end(
    serve, new_database, backend
):
    public = serve(settings_for(new_database(backend), public_url=PUBLIC))
    servers = public.client.get("/openapi.json").json()["servers"]

    assert servers == [{"url": PUBLIC, "description": "This server"}]
    assert public.client.get("/nowhere").json()["type"] == f"{PREFIX}/problems/not_found"


def test_a_prefix_that_paths_begin_with_anyway_takes_nothing_from_them(
    serve, new_database, backend
):
    alice = serve(settings_for(new_database(backend), root_path="/api")).caller()
    created = alice("POST", "", json={"title": "Buy milk"})

    assert created.headers["location"] == f"/api/api/{alice.id}/tasks/1"
    assert alice("GET", "1").json() == created.json()
    assert alice("DELETE", "/health").headers["allow"] == "GET, HEAD"


def test_an_application_that_mounts_this_one_gives_it_a_prefix(service):
    mounted = TestClient(Starlette(routes=[Mount("/a b", service.application)]))
    answer = mounted.get("/a%20b/problems/busy")

    assert (answer.status_code, answer.json()["code"]) == (200, "busy")
    assert mounted.get("/a%20b/nowhere").json() == {
        "type": "/a%20b/problems/not_found",
        "title": "Resource not found",
        "status": 404,
        "detail": "Resource not found.",
        "code": "not_found",
        "instance": "/a%20b/nowhere",
    }
    assert json.loads(mounted.get("/a%20b/").content)["docs"] == "/a%20b/docs"
