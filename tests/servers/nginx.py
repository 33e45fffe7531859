"""A real nginx before a server of HTTP: `Nginx`.

    with Nginx.start(server.port, folder) as proxy:
        httpx2.get(f"{proxy.origin}/readyz")

Responses are buffered (`proxy_buffering` is on unless it is turned off), and `gzip` is on, as in
Debian's configuration. It speaks HTTP/1.1 to the server and keeps connections alive; or HTTP/1.0,
its default, in which it knows no chunks, and holds a response back until a buffer is full.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.servers.process import ServerProcess
from tests.servers.programs import require

FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
"""What nginx keeps in files, wherever it was built to, unless it is told."""

# nginx makes all folders when it starts, even of what is not used here. Its workers are of another
# user where it is root; that user could not reach the folder of a test.
CONFIGURATION = """\
daemon off;
{user}
pid {folder}/nginx.pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    gzip on;
    {temporary}
    {site}
}}
"""
SITE = """\
    upstream api {{
        server 127.0.0.1:{upstream};
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://api;
            proxy_http_version {version};
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            {settings}
        }}
    }}
"""


class Nginx:
    """A running proxy before one port of the loopback; from `start()`."""

    def __init__(self, process: ServerProcess, port: int) -> None:
        """Know the process and where it listens; use `start()`."""
        self.process = process
        self.port = port

    @property
    def origin(self) -> str:
        """Where clients find the proxy."""
        return f"http://127.0.0.1:{self.port}"

    @classmethod
    def start(cls, upstream: int, folder: Path, *settings: str, version: str = "1.1") -> Self:
        """Start before the port `upstream`, to which it speaks HTTP/`version`.

        All of its files are in `folder`. `settings` are more lines of its location, like
        `proxy_buffering off`. Returns when the server answers through it. Skips the test where
        there is no nginx; raises `StartFailed` when it does not start.
        """

        def site(port: int) -> str:
            lines = " ".join(f"{setting};" for setting in settings)
            return SITE.format(upstream=upstream, port=port, version=version, settings=lines)

        return cls.serve(site, folder)

    @classmethod
    def serve(cls, site: Callable[[int], str], folder: Path) -> Self:
        """Start with the text of a file of `conf.d`, which `site` makes for a port."""
        [program] = require("nginx")
        folder.mkdir(exist_ok=True)
        file = folder / "nginx.conf"

        def command(port: int) -> list[str]:
            file.write_text(_configuration(site(port), folder))
            return [program, "-e", "stderr", "-p", str(folder), "-c", str(file)]

        process, port = ServerProcess.start_on_free_port(command)
        return cls(process, port)

    def close(self) -> None:
        """End it, whatever state it is in."""
        self.process.close()

    def __enter__(self) -> Self:
        """Give the proxy itself; the end of the block ends it."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End it, whatever happened."""
        self.close()


def _configuration(site: str, folder: Path) -> str:
    return CONFIGURATION.format(
        user="user root root;" if os.geteuid() == 0 else "",
        folder=folder,
        temporary=" ".join(f"{name}_temp_path {folder}/{name};" for name in FOLDERS),
        site=site,
    )
