"""The contract, its documentation, and that of every problem (tag ``documentation``).

Every document is made or read once, and has an ETag. No document comes from another host.
"""

from dataclasses import asdict
from html import escape
from importlib.resources import files
from typing import Final

import flask
import orjson

from todo.context import context
from todo.http.documents import SHORT_PAGE_HEADERS, STYLE, Page, document
from todo.http.request import current
from todo.problem_types import PROBLEM_TYPES
from todo.problems import Problem

_SWAGGER_UI: Final = files("todo.handlers") / "swagger_ui"  # copied by `make swagger-ui`
_OURS: Final = files("todo.handlers") / "docs"
_DOCS: Final = Page(
    _OURS / "page.html",
    {
        "swagger-ui.css": _SWAGGER_UI,
        "swagger-ui-bundle.js": _SWAGGER_UI,
        "page.css": _OURS,
        "init.js": _OURS,
    },
)


def show_docs() -> flask.Response:
    """Respond with Swagger UI, which reads the contract."""
    return _DOCS.show()


def show_docs_asset(asset: str) -> flask.Response:
    """Respond with a file that the documentation page needs."""
    return _DOCS.show_asset(asset)


def show_openapi_json() -> flask.Response:
    """Respond with the contract as JSON, one document with local references."""
    return document(context().contract_json, "application/json")


def show_openapi_yaml() -> flask.Response:
    """Respond with the contract as YAML."""
    return document(context().contract_yaml, "application/yaml")


def show_problem(code: str) -> flask.Response:
    """Respond with what a problem code means, and what to do about it."""
    if code not in PROBLEM_TYPES:
        raise Problem("not_found", "No problem has this code.")
    about = {"code": code, **asdict(PROBLEM_TYPES[code])}
    if current().accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        texts = {name: escape(str(value)) for name, value in about.items()}
        page = _PROBLEM_PAGE.format(style=STYLE, **texts).encode()
        return document(page, "text/html", SHORT_PAGE_HEADERS)
    return document(orjson.dumps(about), "application/json")


_PROBLEM_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<link rel="icon" href="data:,"><style>{style}</style>
<h1>{title}</h1><p><code>{code}</code>, HTTP {status}</p><p>{advice}</p></html>
"""
