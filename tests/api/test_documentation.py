"""``/docs``, ``/demo``, ``/openapi.json``, ``/openapi.yaml`` and ``/problems/{code}``."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
import yaml
from openapi_spec_validator import OpenAPIV30SpecValidator

import todo.handlers.demo
from tests.api.expect import PROBLEMS, problem, refusal
from tests.api.raw_asgi import send
from tests.contract.reading import OPERATIONS

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CACHED = ["/docs", "/docs/init.js", "/docs/swagger-ui.css", "/docs/page.css",
          "/docs/swagger-ui-bundle.js", "/demo", "/demo/page.js", "/demo/page.css", "/openapi.json",
          "/openapi.yaml", "/problems/busy"]  # fmt: skip
NOTHING = dict.fromkeys(("default-src", "base-uri", "form-action", "frame-ancestors"), "'none'")
OWN_FILES = {
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
}
every_page = pytest.mark.parametrize("page", ["/docs", "/demo"])
every_html = pytest.mark.parametrize(
    "path",
    [
        operation.path.format(code="busy")
        for operation in OPERATIONS
        if "text/html" in operation.responses.get(200, {}).get("content", {})
    ],
)


def allowed_with(style: str) -> dict[str, str]:
    """What the policy of a page allows that has ``style`` in itself."""
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return {"style-src": f"'sha256-{digest}'", "img-src": "data:"}


def test_every_page_of_the_contract_is_known():
    assert every_html.args[1] == ["/", "/demo", "/docs", "/problems/busy"]


@every_page
def test_a_page_is_there_without_a_redirect(client, page):
    response = client.get(page, follow_redirects=False)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"


@every_html
def test_a_page_may_use_its_own_files_or_its_own_style_and_nothing_else(client, path):
    response = client.get(path, headers={"Accept": BROWSER})
    policy = response.headers["content-security-policy"].split("; ")
    styles = re.findall(r"<style>([^<]*)</style>", response.text)

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert dict(part.split(" ", 1) for part in policy) == {
        **NOTHING,
        **(allowed_with(*styles) if styles else OWN_FILES),
    }
    assert re.findall(r"<script[^>]*>[^<]", response.text) == []
    assert re.findall(r"""\s(?:style|on\w+)=""", response.text) == []


@every_html
def test_a_page_stands_in_no_frame_and_tells_no_site_where_the_reader_came_from(client, path):
    first = client.get(path, headers={"Accept": BROWSER})
    known = {"If-None-Match": first.headers.get("etag", '"none"')}
    again = client.get(path, headers={"Accept": BROWSER, **known})

    for response in (first, again):
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]


def test_the_documentation_needs_nothing_from_another_host(client):
    ours = [client.get(path).text for path in ("/docs", "/docs/init.js", "/docs/page.css")]

    assert re.findall(r"(?:https?:)?//", "".join(ours)) == []


def test_everything_that_the_demo_loads_is_there_and_it_loads_all_that_there_is(client):
    loaded: set[str] = set()
    found = set(re.findall(r'(?:src|href)="demo/([^"]*)"', client.get("/demo").text))
    while found:
        files = {name: client.get(f"/demo/{name}") for name in found}
        types = {name: response.headers["content-type"] for name, response in files.items()}
        kinds = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
        assert types == {name: kinds[Path(name).suffix] for name in found}
        loaded |= found
        text = "".join(response.text for response in files.values())
        found = set(re.findall(r'(?:from|import) "\./([^"]*)"', text)) - loaded

    folder = Path(todo.handlers.demo.__file__).parent / "demo"
    assert loaded == {path.name for path in folder.iterdir()} - {"page.html"}


def test_everything_that_the_documentation_loads_is_there(client):
    page = client.get("/docs").text
    loaded = re.findall(r'(?:src|href)="(docs/[^"]*)"', page)
    types = {path: client.get(f"/{path}").headers["content-type"] for path in loaded}

    assert types == {
        "docs/swagger-ui.css": "text/css; charset=utf-8",
        "docs/page.css": "text/css; charset=utf-8",
        "docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
        "docs/init.js": "text/javascript; charset=utf-8",
    }
    assert 'url: "openapi.json"' in client.get("/docs/init.js").text
    assert all(client.get(f"/{path}").content for path in loaded)


@every_page
@pytest.mark.parametrize(
    "asset",
    [
        "index.html",
        "page.html",
        "..",
        "%2e%2e",
        "..%2f..%2f__init__.py",
        "swagger-ui.css.map",
        "init.js%00",
        "..%2fdocs%2finit.js",
        "x" * 41,
    ],
)
def test_no_other_file_is_served(client, page, asset):
    assert send(client, "GET", f"{page}/{asset}").status_code in (400, 404)


def test_the_contract_is_the_same_in_both_forms(client):
    as_json, as_yaml = client.get("/openapi.json"), client.get("/openapi.yaml")

    assert as_json.headers["content-type"] == "application/json"
    assert as_yaml.headers["content-type"] == "application/yaml"
    assert as_json.json() == yaml.safe_load(as_yaml.text)


def test_the_contract_is_valid_openapi_3_0(client):
    document = client.get("/openapi.json").json()

    assert document["openapi"] == "3.0.3"
    assert list(OpenAPIV30SpecValidator(document).iter_errors()) == []


def test_the_contract_has_local_references_only(client):
    references = re.findall(r'"\$ref": "([^"]*)"', client.get("/openapi.json").text)

    assert references
    assert [reference for reference in references if not reference.startswith("#/")] == []


@pytest.mark.parametrize("path", CACHED)
def test_what_a_client_has_already_is_not_sent_again(client, path):
    first = client.get(path)
    etag = first.headers["etag"]

    assert re.fullmatch(r'"[^"]+"', etag)
    assert first.headers["cache-control"] == "public, max-age=300"
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = client.get(path, headers={"If-None-Match": known})
        assert again.status_code == 304
        assert again.content == b""
        assert "content-type" not in again.headers
        assert "content-length" not in again.headers
        assert again.headers["etag"] == etag
        assert again.headers["cache-control"] == "public, max-age=300"
        assert again.headers["x-request-id"]


@pytest.mark.parametrize("path", CACHED)
def test_lines_of_one_header_are_one_list(client, path):
    etag = client.get(path).headers["etag"]
    headers = [("If-None-Match", etag), ("If-None-Match", '"other"')]

    assert client.get(path, headers=headers).status_code == 304


@pytest.mark.parametrize("path", CACHED)
@pytest.mark.parametrize(
    "headers",
    [
        {"If-None-Match": '"other"'},
        {"If-None-Match": "nonsense"},
        {"If-Match": '"other"'},
        {"Range": "bytes=0-3"},
        {"If-Modified-Since": "Sun, 22 Nov 2099 00:00:00 GMT"},
    ],
    ids=ascii,
)
def test_what_a_client_does_not_have_is_sent_whole(client, path, headers):
    whole = client.get(path)
    response = client.get(path, headers=headers)

    assert response.status_code == 200
    assert response.content == whole.content


def test_a_page_and_a_program_have_different_etags(client):
    path = "/problems/busy"
    as_json = client.get(path)
    as_html = client.get(path, headers={"Accept": BROWSER})

    assert as_json.headers["etag"] != as_html.headers["etag"]
    assert "Accept" in as_json.headers["vary"]
    assert "Accept" in as_html.headers["vary"]


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_is_documented_where_its_type_leads(client, code):
    status, title = PROBLEMS[code]
    response = client.get(f"/problems/{code}")
    body = response.json()

    assert response.status_code == 200
    assert body.pop("advice")
    assert body == {"code": code, "status": status, "title": title}


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_has_a_page_for_people(client, code):
    status, _ = PROBLEMS[code]
    response = client.get(f"/problems/{code}", headers={"Accept": BROWSER})

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<code>{code}</code>, HTTP {status}" in response.text


@pytest.mark.parametrize("code", ["no_such_code", "Busy", "busy%20", "<script>", "x" * 40])
def test_a_problem_that_does_not_exist_is_404(client, code):
    response = client.get(f"/problems/{code}")

    body = refusal(response)
    assert body == problem("not_found", "No problem has this code.", body["instance"])


def test_a_code_that_is_longer_than_any_is_404(client):
    path = f"/problems/{'x' * 41}"

    assert refusal(client.get(path)) == problem("not_found", "Resource not found.", path)
