"""The service itself: what it is, and whether it works (tag ``service``)."""

from html import escape
from typing import Any, Final

import flask
import orjson

from todo import __version__
from todo.context import context
from todo.database import readiness
from todo.http.documents import SHORT_PAGE_HEADERS, STYLE
from todo.http.request import current
from todo.problems import Problem

Json = dict[str, Any]

_LINKS: Final = {"docs": "/docs", "openapi": "/openapi.json", "health": "/health"}
_DEMO: Final = {"demo": "/demo"}
"""Beside the rest while local accounts are on."""


def show_service() -> flask.Response:
    """Respond with a page to browsers, with JSON to everybody else."""
    demo, prefix = context().local_accounts, current().prefix
    if current().accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        items = (_DEMO_ITEM if demo else "") + _ITEMS
        items = items.format(prefix=escape(prefix))
        page = _PAGE.format(style=STYLE, version=__version__, items=items)
        response = flask.Response(page, mimetype="text/html", headers=SHORT_PAGE_HEADERS)
    else:
        links = {**_LINKS, **_DEMO} if demo else _LINKS
        about = {"name": "todo-api", "version": __version__}
        about |= {name: prefix + path for name, path in links.items()}
        response = flask.Response(orjson.dumps(about), mimetype="application/json")
    response.headers["Vary"] = "Accept"
    return response


async def check_health() -> Json:
    """Respond on the event loop: neither a thread nor the database is needed."""
    return {"status": "ok"}


async def check_liveness() -> Json:
    """Respond like :func:`check_health`, under the name that orchestrators use."""
    return {"status": "ok"}


def check_readiness() -> Json:
    """Check that requests can be served: the schema is this release's, and keys are there."""
    revision = readiness.check(context().schema_revision)
    keys = context().keys
    if keys is not None and not keys.available:
        raise Problem("keys_unavailable", "The issuer's keys are unavailable right now.")
    return {"status": "ok", "database": "ok", "schema": revision, "keys": "ok"}


_DEMO_ITEM: Final = '<li><a href="{prefix}/demo">Demo</a>: a front end, to try the API with</li>\n'
_ITEMS: Final = """\
<li><a href="{prefix}/docs">Documentation</a>, to read and to try</li>
<li><a href="{prefix}/openapi.json">openapi.json</a> and
<a href="{prefix}/openapi.yaml">openapi.yaml</a></li>
<li><a href="{prefix}/readyz">Is it ready?</a></li>
"""
_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>todo-api</title>
<link rel="icon" href="data:,"><style>{style}</style>
<h1>todo-api {version}</h1>
<p>A multi-user Todo REST API.
Every call carries <code>Authorization: Bearer &lt;JWT&gt;</code>.</p>
<ul>
{items}</ul></html>
"""
