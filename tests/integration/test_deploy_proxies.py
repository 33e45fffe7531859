"""The examples for proxies in ``deploy/``, in Debian's nginx, Caddy and HAProxy."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest

from tests.conftest import DIALECTS, SECRET, Caller
from tests.integration.certificate import LOCAL, self_signed, trusting
from tests.integration.raw_http import CHUNK, PATIENCE_SECONDS
from tests.integration.server import REPOSITORY, SERVING, Server
from tests.integration.tables import rows
from tests.servers.nginx import Nginx
from tests.servers.process import ServerProcess, free_port
from tests.servers.programs import require
from tests.servers.reaper import wait_until
from todo.auth.tokens import mint

DEPLOY = REPOSITORY / "deploy"
NAMES = ("nginx", "caddy", "haproxy")
PUBLIC = "https://example.com/todo-api"
BROWSER = {"Accept": "text/html"}
NOTICE_SECONDS = 20
"""How long HAProxy may take to notice that a server is not ready."""


@dataclass(frozen=True)
class Proxy:
    """A proxy with its example, before a server."""

    name: str
    origin: str
    port: int
    process: ServerProcess
    trust: ssl.SSLContext
    client: httpx2.Client

    def caller(self) -> Caller:
        """A new user, whose every request goes through the proxy."""
        subject = "auth0|a b%2F"
        return Caller(self.client, subject, mint(SECRET, subject, hours=1))


def adapted(example: str, changes: dict[str, str]) -> str:
    """The example with what an operator changes, and with a port that a test may listen on."""
    text = (DEPLOY / example).read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


def nginx(upstream: int, folder: Path) -> tuple[ServerProcess, int]:
    def site(port: int) -> str:
        changes = {
            "listen 443 ": f"listen {LOCAL}:{port} ",
            "127.0.0.1:8000": f"{LOCAL}:{upstream}",
            "/etc/ssl/todo-api/fullchain.pem": str(folder / "certificate.pem"),
            "/etc/ssl/todo-api/privkey.pem": str(folder / "key.pem"),
            "client_header_timeout 10s": "client_header_timeout 1s",
        }
        return adapted("nginx/todo-api.conf", changes)

    running = Nginx.serve(site, folder / "run")
    return running.process, running.port


def caddy(upstream: int, folder: Path) -> tuple[ServerProcess, int]:
    [program] = require("caddy")
    file, files = folder / "Caddyfile", f"{folder / 'certificate.pem'} {folder / 'key.pem'}"

    def command(port: int) -> list[str]:
        changes = {
            "\n{\n": "\n{\n\tadmin off\n\tauto_https off\n",
            "example.com {": f"https://{LOCAL}:{port} {{\n\ttls {files}",
            "127.0.0.1:8000": f"{LOCAL}:{upstream}",
            "read_header 10s": "read_header 1s",
        }
        file.write_text(adapted("caddy/Caddyfile", changes))
        return [program, "run", "--adapter", "caddyfile", "--config", str(file)]

    homes = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder))
    return ServerProcess.start_on_free_port(command, env=homes)


def haproxy(upstream: int, folder: Path) -> tuple[ServerProcess, int]:
    [program] = require("haproxy")
    file, both = folder / "haproxy.cfg", folder / "both.pem"
    both.write_text((folder / "certificate.pem").read_text() + (folder / "key.pem").read_text())
    encrypted = free_port()

    def command(port: int) -> list[str]:
        changes = {
            "bind :80": f"bind {LOCAL}:{port}",
            "bind :443": f"bind {LOCAL}:{encrypted}",
            "127.0.0.1:8000": f"{LOCAL}:{upstream}",
            "/etc/ssl/todo-api/todo-api.pem": str(both),
            "timeout http-request 10s": "timeout http-request 1s",
        }
        file.write_text(adapted("haproxy/haproxy.cfg", changes))
        return [program, "-db", "-f", str(file)]

    process, _ = ServerProcess.start_on_free_port(command)
    return process, encrypted


START = {"nginx": nginx, "caddy": caddy, "haproxy": haproxy}


@contextmanager
def before_server(name: str, url: str, folder: Path, **variables: str) -> Iterator[Proxy]:
    """The proxy of that name before a server of the database at ``url``."""
    certificate, _ = self_signed(folder)
    settings = {"DATABASE_URL": url, "BETTER_AUTH_SECRET": SECRET, "PUBLIC_URL": PUBLIC}
    with ExitStack() as stack:
        server = Server.start(
            folder, command=SERVING, WEB_CONCURRENCY="1", **{**settings, **variables}
        )
        stack.callback(server.close)
        process, port = START[name](server.port, folder)
        stack.callback(process.close)
        trust, origin = trusting(certificate), f"https://{LOCAL}:{port}"
        client = stack.enter_context(
            httpx2.Client(
                base_url=f"{origin}/todo-api",
                verify=trust,
                timeout=PATIENCE_SECONDS,
                trust_env=False,
            )
        )
        yield Proxy(name, origin, port, process, trust, client)


@pytest.fixture(scope="module", params=NAMES)
def proxy(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp(request.param)
    with before_server(request.param, new_database(DIALECTS[0]), folder) as running:
        yield running


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
        "/todo-api/a/b" if proxy.name == "caddy" else "/todo-api/a//b",  # Caddy joins slashes
        "/todo-api/a%EF%BF%BD",
    ]


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
        connection.sendall(b"GET /todo-api/health HTTP/1.1\r\nHost: example.com\r\n")
        received = b"".join(iter(lambda: connection.recv(CHUNK), b""))

    assert received.split(b" ")[1:2] in ([b"408"], [])  # HAProxy says why


def test_browsers_are_told_to_use_tls_for_errors_too(proxy):
    answers = [proxy.client.get(path) for path in ("/health", "/nowhere")]

    assert [answer.status_code for answer in answers] == [200, 404]
    told = {answer.headers["strict-transport-security"] for answer in answers}
    assert told == {"max-age=31536000"}


def test_what_is_not_encrypted_is_refused(proxy):
    with socket.create_connection((LOCAL, proxy.port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(b"GET /todo-api/health HTTP/1.1\r\nHost: example.com\r\n\r\n")
        answer = connection.recv(100)

    assert answer.split(b" ")[1:2] in ([b"400"], [])  # HAProxy closes the connection


def test_the_prefix_alone_is_the_service(proxy):
    bare = proxy.client.get(f"{proxy.origin}/todo-api", follow_redirects=False)

    assert bare.status_code == 308
    assert bare.headers["location"].endswith("/todo-api/")


@pytest.fixture(params=NAMES)
def own_proxy(
    request: pytest.FixtureRequest, new_database: Callable[[str], str], tmp_path: Path
) -> Callable[..., AbstractContextManager[Proxy]]:
    """Start a proxy before a server with other settings or another database."""

    def start(url: str = "", **variables: str) -> AbstractContextManager[Proxy]:
        return before_server(request.param, url or new_database(DIALECTS[0]), tmp_path, **variables)

    return start


def test_what_a_client_says_of_its_address_is_dropped(own_proxy):
    with own_proxy(TRUSTED_PROXIES=LOCAL, RATE_LIMIT="3/minute") as proxy:
        answers = [
            proxy.client.get("/api/me/tasks", headers={"X-Forwarded-For": f"192.0.2.{number}"})
            for number in range(5)
        ]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]


def test_a_server_that_is_not_ready_says_why_itself(own_proxy, new_database):
    url = new_database(DIALECTS[0])
    with own_proxy(url) as proxy:
        rows(url, "UPDATE todo_api_version SET version_num = '9999'")
        if proxy.name == "haproxy":
            wait_until(lambda: "one is DOWN" in proxy.process.log(), NOTICE_SECONDS)
        unready = proxy.client.get("/readyz")

    assert (unready.status_code, unready.json()["code"]) == (503, "schema_outdated")
