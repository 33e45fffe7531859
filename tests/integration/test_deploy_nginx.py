"""The example for nginx in ``deploy/nginx/``, in Debian's nginx: TLS, prefix, streams."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest

from tests.conftest import DIALECTS, SECRET, Caller
from tests.integration.certificate import LOCAL, self_signed, trusting
from tests.integration.raw_http import PATIENCE_SECONDS, Wire
from tests.integration.server import REPOSITORY, SERVING, Server
from tests.servers.nginx import Nginx
from todo.auth.tokens import mint

EXAMPLE = REPOSITORY / "deploy" / "nginx" / "todo-api.conf"
PUBLIC = "https://example.com/todo-api"
BROWSER = {"Accept": "text/html"}


@dataclass(frozen=True)
class Proxy:
    """nginx with the example, before a server."""

    origin: str
    port: int
    trust: ssl.SSLContext
    client: httpx2.Client

    def caller(self) -> Caller:
        """A new user, whose every request goes through nginx."""
        subject = "auth0|a b%2F"
        return Caller(self.client, subject, mint(SECRET, subject, hours=1))


def adapted(port: int, upstream: int, certificate: Path, key: Path) -> str:
    """The example with what an operator changes, and with a port that a test may listen on."""
    text = EXAMPLE.read_text()
    for old, new in {
        "listen 443 ": f"listen {LOCAL}:{port} ",
        "127.0.0.1:8000": f"{LOCAL}:{upstream}",
        "/etc/ssl/todo-api/fullchain.pem": str(certificate),
        "/etc/ssl/todo-api/privkey.pem": str(key),
        "client_header_timeout 10s": "client_header_timeout 1s",
    }.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def proxy(
    new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("nginx")
    certificate, key = self_signed(folder)
    with ExitStack() as stack:
        server = Server.start(
            folder,
            command=SERVING,
            DATABASE_URL=new_database(DIALECTS[0]),
            BETTER_AUTH_SECRET=SECRET,
            PUBLIC_URL=PUBLIC,
            WEB_CONCURRENCY="1",
        )
        stack.callback(server.close)
        nginx = stack.enter_context(
            Nginx.serve(lambda port: adapted(port, server.port, certificate, key), folder / "run")
        )
        trust, origin = trusting(certificate), f"https://{LOCAL}:{nginx.port}"
        client = stack.enter_context(
            httpx2.Client(
                base_url=f"{origin}/todo-api",
                verify=trust,
                timeout=PATIENCE_SECONDS,
                trust_env=False,
            )
        )
        yield Proxy(origin, nginx.port, trust, client)


def followed(proxy: Proxy, base: httpx2.Response, link: str, **headers: str) -> httpx2.Response:
    """What a client gets that resolves a link of a response, as it must (RFC 3986, section 5)."""
    return proxy.client.get(urljoin(str(base.url), link), headers=headers)


def test_location_link_and_problem_types_lead_through_the_proxy(proxy):
    alice = proxy.caller()
    token = {"Authorization": f"Bearer {alice.token}"}
    created = alice("POST", "/api/me/tasks", json={"title": "Buy milk"})
    other = alice("POST", "/api/me/tasks", json={"title": "Buy bread"})
    page = alice("GET", "/api/me/tasks?limit=1")
    missing = alice("GET", "/api/me/tasks/999")

    assert followed(proxy, created, created.headers["location"], **token).json() == created.json()
    following = followed(proxy, page, page.links["next"]["url"], **token)
    assert page.json()["tasks"] + following.json()["tasks"] == [other.json(), created.json()]
    assert followed(proxy, missing, missing.json()["type"]).json()["code"] == "task_not_found"


def test_pages_and_their_files_and_the_contract_are_found_through_the_proxy(proxy):
    service = proxy.client.get("/")
    paths = [service.json()[name] for name in ("docs", "openapi", "health")]

    assert {followed(proxy, service, path).status_code for path in paths} == {200}
    docs = followed(proxy, service, paths[0], **BROWSER)
    assert followed(proxy, docs, "docs/init.js").headers["content-type"].startswith("text/java")
    assert followed(proxy, docs, "openapi.json").json()["servers"] == [
        {"url": PUBLIC, "description": "This server"}
    ]


def test_the_path_arrives_as_the_client_has_written_it(proxy):
    answers = [proxy.client.get(path) for path in ("/a%2Fb%2525", "/a//b", "/a%FF")]

    assert [answer.json()["instance"] for answer in answers] == [
        "/todo-api/a/b%2525",
        "/todo-api/a//b",
        "/todo-api/a%EF%BF%BD",
    ]
    assert answers[1].json()["detail"] == "Resource not found: the path has an empty segment."


def test_a_stream_is_passed_on_event_by_event(proxy):
    alice = proxy.caller()
    place = alice("GET", "/api/me/tasks").json()["sync_token"]
    token = {"Authorization": f"Bearer {alice.token}"}
    with proxy.client.stream("GET", f"/api/me/events?since={place}", headers=token) as stream:
        lines = stream.iter_lines()
        for title in ("Buy milk", "Buy bread", "Buy eggs"):
            alice("POST", "/api/me/tasks", json={"title": title})
            assert title in next(line for line in lines if line.startswith("data: {"))


def test_a_head_that_comes_slowly_is_cut_by_the_proxy(proxy):
    plain = socket.create_connection((LOCAL, proxy.port), timeout=PATIENCE_SECONDS)
    with proxy.trust.wrap_socket(plain, server_hostname=LOCAL) as connection:
        wire = Wire(connection)
        wire.send(b"GET /todo-api/health HTTP/1.1\r\nHost: example.com\r\n")

        assert wire.is_closed()


def test_browsers_are_told_to_use_tls_for_errors_too(proxy):
    answers = [proxy.client.get(path) for path in ("/health", "/nowhere")]

    assert [answer.status_code for answer in answers] == [200, 404]
    told = {answer.headers["strict-transport-security"] for answer in answers}
    assert told == {"max-age=31536000"}


def test_what_is_not_encrypted_is_refused(proxy):
    plain = httpx2.get(f"http://{LOCAL}:{proxy.port}/todo-api/health", trust_env=False)

    assert (plain.status_code, b"plain HTTP request" in plain.content) == (400, True)


def test_the_prefix_alone_is_the_service(proxy):
    bare = proxy.client.get(f"{proxy.origin}/todo-api", follow_redirects=False)

    assert bare.status_code == 308
    assert bare.headers["location"].endswith("/todo-api/")
