"""What HTTP adds to an answer: conditional requests (RFC 9110, section 13), the next page's link.

Werkzeug parses ``If-Match`` and ``If-None-Match``; what is no list of tags has none that matches.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from flask import request

from todo.services import listing

Json = dict[str, Any]
Answer = tuple[Json | None, int, dict[str, str]]
"""A body, a status, and headers."""


def expected() -> Callable[[str], bool] | None:
    """Return which tags ``If-Match`` lets a task have; ``None`` when it is absent.

    The comparison is strong: a weak tag never matches.
    """
    if "If-Match" not in request.headers:
        return None
    return request.if_match.contains


def tagged(tag: str | None) -> dict[str, str]:
    """Return the header that carries ``tag``, if there is one."""
    return {} if tag is None else {"ETag": f'"{tag}"'}


def unless_known(body: Json, tag: str | None) -> Answer:
    """Answer with ``body``, or with 304 when ``If-None-Match`` has its ``tag``."""
    if tag is not None and request.if_none_match.contains_weak(tag):
        return None, 304, tagged(tag)
    return body, 200, tagged(tag)


def listed_already(owner: str, tag_at: Callable[[int], str | None]) -> Answer | None:
    """Answer with 304 when ``If-None-Match`` has the tag of a list as it is now.

    ``tag_at`` gives the tag for the owner's revision, which is all that is read.
    """
    if "If-None-Match" not in request.headers or tag_at(0) is None:
        return None
    tag = tag_at(listing.revision(owner))
    known = tag is not None and request.if_none_match.contains_weak(tag)
    return (None, 304, tagged(tag)) if known else None


def link_to_next(cursor: str | None) -> dict[str, str]:
    """Return the header that has the target of the next page (RFC 8288), if there is one."""
    if cursor is None:
        return {}
    query = parse_qsl(request.query_string.decode("ascii"), keep_blank_values=True)
    kept = [(name, value) for name, value in query if name not in ("cursor", "skip")]
    target = f"{quote(request.path)}?{urlencode([*kept, ('cursor', cursor)])}"
    return {"Link": f'<{target}>; rel="next"'}
