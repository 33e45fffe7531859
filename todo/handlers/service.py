"""The service itself: what it is, and whether it works (tag ``service``)."""

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

_ABOUT: Final = {
    "name": "todo-api",
    "version": __version__,
    "docs": "/docs",
    "openapi": "/openapi.json",
    "health": "/health",
}
_DEMO: Final = {"demo": "/demo"}
"""Beside the rest while local accounts are on."""


def show_service() -> flask.Response:
    """Respond with a page to browsers, with JSON to everybody else."""
    demo = context().local_accounts
    if current().accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        page = _PAGE.format(style=STYLE, version=__version__, demo=_DEMO_LINK if demo else "")
        response = flask.Response(page, mimetype="text/html", headers=SHORT_PAGE_HEADERS)
    else:
        about = {**_ABOUT, **_DEMO} if demo else _ABOUT
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


_DEMO_LINK: Final = '<li><a href="/demo">Demo</a>: a front end, to try the API with</li>\n'
_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>todo-api</title>
<link rel="icon" href="data:,"><style>{style}</style>
<h1>todo-api {version}</h1>
<p>A multi-user Todo REST API.
Every call carries <code>Authorization: Bearer &lt;JWT&gt;</code>.</p>
<ul>
{demo}<li><a href="/docs">Documentation</a>, to read and to try</li>
<li><a href="/openapi.json">openapi.json</a> and <a href="/openapi.yaml">openapi.yaml</a></li>
<li><a href="/readyz">Is it ready?</a></li>
</ul></html>
"""
