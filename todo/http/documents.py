"""Documents that are the same for everybody: cached, with an ETag; pages, and the files they load.

A page loads nothing from another host, and runs no script that stands in the page itself.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.resources.abc import Traversable
from pathlib import PurePath
from typing import Final

import flask
from werkzeug.http import generate_etag

from todo.http.request import current
from todo.problems import Problem

CACHE: Final = "public, max-age=300"
STYLE: Final = (
    "body{font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}"
)
"""The style of a short page, which loads no file."""


def _page_headers(sources: str) -> dict[str, str]:
    """Return the headers of a page that may use ``sources``, and nothing else.

    The page stands in no frame, sends no form, and tells no other site where the reader came from.
    """
    policy = f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'"
    return {
        "Content-Security-Policy": f"{policy}; frame-ancestors 'none'",
        "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
        "Referrer-Policy": "no-referrer",
    }


_DIGEST: Final = b64encode(sha256(STYLE.encode()).digest()).decode()
SHORT_PAGE_HEADERS: Final = _page_headers(f"style-src 'sha256-{_DIGEST}'; img-src data:")
"""The headers of a page that has its style in itself (``STYLE``), and nothing else to load."""
PAGE_HEADERS: Final = _page_headers(
    "script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
)
"""The headers of a page that loads its files from this server, and runs nothing of its own."""
_MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript"}


def document(
    content: bytes, media_type: str, headers: dict[str, str] | None = None
) -> flask.Response:
    """Return ``content`` as a cacheable response; an empty 304 when the client has it already."""
    etag = generate_etag(content)
    known = current().if_none_match.contains_weak(etag)
    response = flask.Response(None if known else content, headers=headers, mimetype=media_type)
    if known:
        response.status_code = 304
        del response.headers["Content-Type"]
    response.headers["Cache-Control"] = CACHE
    response.headers["Vary"] = "Accept"
    response.set_etag(etag)
    return response


@dataclass(frozen=True)
class Page:
    """A page, and the folders of the files that it loads, by the names of the files.

    Every file is read once.
    """

    file: Traversable
    folders: Mapping[str, Traversable]

    def show(self) -> flask.Response:
        """Return the page as a response."""
        return document(self._html, "text/html", PAGE_HEADERS)

    def show_asset(self, name: str) -> flask.Response:
        """Return a file of the page as a response; raises ``not_found`` for any other name."""
        if name not in self._assets:
            raise Problem("not_found", "Resource not found.")
        return document(self._assets[name], _MEDIA_TYPES[PurePath(name).suffix])

    @cached_property
    def _html(self) -> bytes:
        return self.file.read_bytes()

    @cached_property
    def _assets(self) -> dict[str, bytes]:
        return {name: (folder / name).read_bytes() for name, folder in self.folders.items()}
