"""The nginx of the tests does what they rely on."""

import sys
from collections.abc import Iterator

import httpx2
import pytest

from tests.servers.nginx import Nginx
from tests.servers.process import ServerProcess, StartFailed, free_port


@pytest.fixture(scope="module")
def upstream() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with ServerProcess.start(command, url=f"http://127.0.0.1:{port}/"):
        yield port


def test_it_passes_requests_on_until_it_is_closed(upstream, tmp_path):
    with Nginx.start(upstream, tmp_path / "nginx") as proxy:
        answer = httpx2.get(f"{proxy.origin}/setup.cfg", trust_env=False)

        assert (answer.status_code, answer.headers["server"][:6]) == (200, "nginx/")
        assert "[mypy]" in answer.text
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(proxy.origin, trust_env=False)


def test_one_that_cannot_start_shows_its_log(upstream, tmp_path):
    with pytest.raises(StartFailed, match="nonsense"):
        Nginx.start(upstream, tmp_path / "nginx", "proxy_buffering nonsense")
