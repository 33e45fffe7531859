"""A front end to try the API with, in a browser (tag ``demo``).

It is there while local accounts are on. ``live.js`` and ``optimistic.js`` are what
``examples/typescript`` compiles to; ``make demo`` renews them.
"""

from importlib.resources import files
from typing import Final

import flask

from todo.http.documents import Page

_FOLDER: Final = files("todo.handlers") / "demo"
_FILES: Final = (
    "page.css",
    "page.js",
    "session.js",
    "tasks.js",
    "undo.js",
    "row.js",
    "live.js",
    "optimistic.js",
)
_DEMO: Final = Page(_FOLDER / "page.html", dict.fromkeys(_FILES, _FOLDER))


def show_demo() -> flask.Response:
    """Respond with the page."""
    return _DEMO.show()


def show_demo_asset(asset: str) -> flask.Response:
    """Respond with a file that the page needs."""
    return _DEMO.show_asset(asset)
