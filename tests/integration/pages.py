"""Pages of a folder on an origin of their own, and what a real Chromium tells of one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.servers.http import answering
from tests.servers.node import run

BROWSER = Path(__file__).parents[1] / "browser"


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def origin_of(folder: Path) -> Iterator[str]:
    """Serve the files of ``folder`` until the block ends; the value is the origin."""
    handler = partial(Silent, directory=str(folder))
    with answering(handler) as port:
        yield f"http://localhost:{port}"


def visit(
    chromium: str, home: Path, url: str, script: str = "visit.mjs", **story: str
) -> dict[str, Any]:
    """What the page tells of its story."""
    told: dict[str, Any] = json.loads(
        run(
            BROWSER,
            "node",
            script,
            home=home,
            CHROMIUM=chromium,
            PAGE_URL=url,
            STORY=json.dumps(story),
        )
    )
    return told
