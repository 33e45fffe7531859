"""The audit names what services with advisories know, and says so where there is no service."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.audit import weaknesses
from tests.audit.__main__ import ROOT
from tests.audit.npm import npm_audit
from tests.audit.uv import PIN, uv_audit
from tests.audit.weaknesses import Audit, Unanswered, answer_of, run, verdict
from tests.servers.http import answering
from tests.servers.programs import require

NOWHERE = "http://127.0.0.1:9/"
MOMENT = "2026-01-01T00:00:00Z"
OSV = {
    "id": "GHSA-0000-0000-0000",
    "modified": MOMENT,
    "published": MOMENT,
    "summary": "Tasks leak",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "flask"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
        }
    ],
}
NPM = {
    "id": 1,
    "url": "https://example.com/advisory",
    "title": "Pages leak",
    "severity": "high",
    "vulnerable_versions": "<99.0.0",
}
PACKAGE = {
    "name": "swagger-ui-dist",
    "dist-tags": {"latest": "99.0.0"},
    "versions": {v: {"name": "swagger-ui-dist", "version": v} for v in ("5.35.0", "99.0.0")},
}


class Service(BaseHTTPRequestHandler):
    """What OSV and an npm registry answer; they know of a weakness in `weak`, if in anything."""

    weak = ""

    def do_POST(self) -> None:
        length = self.headers["content-length"]
        body = self.rfile.read(int(length)) if length else b""
        if self.path.endswith("/advisories/bulk"):
            self.answer({self.weak: [NPM]} if self.weak else {})
            return
        queries = json.loads(body)["queries"]
        found = {"vulns": [{"id": OSV["id"], "modified": MOMENT}]}
        names = [query["package"]["name"] for query in queries]
        self.answer({"results": [found if name == self.weak else {} for name in names]})

    def do_GET(self) -> None:
        self.answer(OSV if self.path.endswith(OSV["id"]) else PACKAGE)

    def answer(self, body: object) -> None:
        raw = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def service_that_knows(weak: str) -> Iterator[str]:
    """The URL of a service that knows of one weak package."""
    handler = type("Knowing", (Service,), {"weak": weak})
    with answering(handler) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A file of pins in pip's form, one of which depends on the version of Python."""
    text = (
        "flask==3.1.3 \\\n    --hash=sha256:00\n"
        "deprecated==1.3.1 ; python_full_version < '3.12' \\\n    --hash=sha256:00\n"
        "deprecated==3.0.1 ; python_full_version >= '3.12' \\\n    --hash=sha256:00\n"
        "pyjwt[crypto]==2.15.1 \\\n    --hash=sha256:00\n"
    )
    path = tmp_path / "requirements.lock"
    path.write_text(text)
    return path


def test_a_weak_package_of_python_is_named_with_what_mends_it(lock: Path):
    with service_that_knows("flask") as url:
        found = uv_audit(lock, url)

    assert found == ["flask 3.1.3: GHSA-0000-0000-0000 Tasks leak (mended by 99.0)"]


@pytest.mark.parametrize("pins", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_of_the_repository_is_one_that_uv_reads(pins: str):
    with service_that_knows("nothing-that-is-pinned") as url:
        assert uv_audit(ROOT / pins, url) == []


def test_a_lock_is_audited_whole(lock: Path):
    pins = [("flask", "3.1.3"), ("deprecated", "1.3.1"), ("deprecated", "3.0.1"),
            ("pyjwt", "2.15.1")]  # fmt: skip
    runtime = (ROOT / "requirements.lock").read_text()

    assert PIN.findall(lock.read_text()) == pins
    assert len(PIN.findall(runtime)) == runtime.count("==") - runtime.count(" == ") > 40


def test_a_weak_package_of_npm_is_named():
    require("npm")
    with service_that_knows("swagger-ui-dist") as url:
        found = npm_audit(ROOT / "vendor", url)

    assert found == ["swagger-ui-dist 5.35.0: high, Pages leak"]


def test_npm_packages_without_a_published_weakness_are_clean():
    require("npm")
    with service_that_knows("") as url:
        assert npm_audit(ROOT / "vendor", url) == []


def test_a_service_that_does_not_answer_is_told_from_one_that_knows_nothing(lock: Path):
    require("npm")
    unanswered = [
        answer_of(uv_audit, lock, NOWHERE),
        answer_of(npm_audit, ROOT / "vendor", NOWHERE),
    ]

    assert [type(answer) for answer in unanswered] == [Unanswered, Unanswered]
    lines, failed = verdict([Audit("a lock", True, answer) for answer in unanswered])
    assert not failed
    for line in lines:
        assert line.startswith("a lock: NOT AUDITED, no service with advisories: ")
        assert "127.0.0.1" in line


def test_a_tool_that_waits_for_a_service_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(weaknesses, "SECONDS", 1)
    waiting = (sys.executable, "-c", "import time; time.sleep(60)")

    assert str(answer_of(run, tmp_path, *waiting)) == "no answer in 1 s"


def test_only_what_is_shipped_fails_the_audit():
    tool, page = Audit("tests/browser", False, ["weak"]), Audit("vendor", True, ["weak"])
    clean = Audit("requirements.lock", True, [])

    assert verdict([clean, tool]) == (
        [
            "requirements.lock: no published weakness",
            "tests/browser (for tests and tools only): 1 published",
            "  weak",
        ],
        False,
    )
    assert verdict([page]) == (["vendor (shipped): 1 published", "  weak"], True)
