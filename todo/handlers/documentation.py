"""The contract, its documentation, and that of every problem (tag ``documentation``).

Every document is made or read once, and has an ETag. No document comes from another host.
"""

from dataclasses import asdict
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final

import flask
import orjson
from werkzeug.http import generate_etag

from todo.context import context
from todo.http.request import current
from todo.problem_types import PROBLEM_TYPES
from todo.problems import Problem

CACHE: Final = "public, max-age=300"
_SWAGGER_UI: Final = files("flask_swagger_ui") / "dist"
_OURS: Final = files("todo.handlers") / "docs"
_ASSETS: Final = {
    "swagger-ui.css": ("text/css", _SWAGGER_UI),
    "swagger-ui-bundle.js": ("text/javascript", _SWAGGER_UI),
    "page.css": ("text/css", _OURS),
    "init.js": ("text/javascript", _OURS),
}
"""The files of the page: their media types, and the folders that they are in."""

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>todo-api: documentation</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/page.css"></head>
<body><div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/init.js"></script>
</body></html>
"""
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def show_docs() -> flask.Response:
    """Respond with Swagger UI, which reads the contract."""
    return _document(_PAGE.encode(), "text/html", {"Content-Security-Policy": _POLICY})


def show_docs_asset(asset: str) -> flask.Response:
    """Respond with a file that the documentation page needs."""
    if asset not in _ASSETS:
        raise Problem("not_found", "Resource not found.")
    media_type, _ = _ASSETS[asset]
    return _document(_asset(asset), media_type)


def show_openapi_json() -> flask.Response:
    """Respond with the contract as JSON, one document with local references."""
    return _document(context().contract_json, "application/json")


def show_openapi_yaml() -> flask.Response:
    """Respond with the contract as YAML."""
    return _document(context().contract_yaml, "application/yaml")


def show_problem(code: str) -> flask.Response:
    """Respond with what a problem code means, and what to do about it."""
    if code not in PROBLEM_TYPES:
        raise Problem("not_found", "No problem has this code.")
    about = {"code": code, **asdict(PROBLEM_TYPES[code])}
    if current().accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        texts = {name: escape(str(value)) for name, value in about.items()}
        return _document(_PROBLEM_PAGE.format(**texts).encode(), "text/html")
    return _document(orjson.dumps(about), "application/json")


_PROBLEM_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}}
</style>
<h1>{title}</h1><p><code>{code}</code>, HTTP {status}</p><p>{advice}</p></html>
"""


@cache
def _asset(name: str) -> bytes:
    _, folder = _ASSETS[name]
    return (folder / name).read_bytes()


def _document(
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
