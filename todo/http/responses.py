"""What HTTP adds to an answer: conditional requests (RFC 9110, section 13), repeats under a key,
the next page's link.

Werkzeug parses ``If-Match`` and ``If-None-Match``, and takes a tag without its quotes for one with
them; what is no list of tags has none that matches.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

import orjson
from flask import current_app, request
from sqlalchemy import Connection
from werkzeug.datastructures import ETags

from todo.auth.user import User
from todo.database.deadline import STATEMENT_SECONDS
from todo.database.transactions import MANY_SECONDS, write
from todo.sync import idempotency
from todo.sync.etags import LENGTH
from todo.sync.idempotency import Repeatable
from todo.tasks import listing
from todo.tasks.service import Expected, Precondition

Json = dict[str, Any]
Answer = tuple[Json | None, int, dict[str, str]]
"""A body, a status, and headers."""

_CODING: Final = re.compile(rf"(?<=^.{{{LENGTH}}})[-;:.+]+(?:gzip|br|zstd|deflate)$", re.IGNORECASE)
"""What proxies append to the tag of an answer that they compress."""
_UNDO: Final = "A compressing proxy has changed the ETag: send the ETag"
REPLAYED: Final = {"Idempotency-Replayed": "true"}


def changed(
    user: User, unit: Callable[[Connection], Answer], *, seconds: float = STATEMENT_SECONDS
) -> Answer:
    """Return the answer of ``unit``, a unit of work, once it is committed.

    With an ``Idempotency-Key`` it is kept with the change, and a repeat is answered with it. Raises
    what :func:`todo.database.transactions.write` and :func:`todo.sync.idempotency.once` do.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return write(unit, seconds=seconds)
    hours = current_app.config["IDEMPOTENCY_HOURS"]
    repeatable = Repeatable(key, _fingerprint(), hours)
    (body, status, headers), replayed = write(
        lambda tx: idempotency.once(tx, user, repeatable, lambda: unit(tx)), seconds=seconds
    )
    return body, status, {**headers, **REPLAYED} if replayed else headers


def changed_many(user: User, unit: Callable[[Connection], Mapping[str, int]]) -> Answer:
    """Return how many tasks ``unit`` changed, like :func:`changed`; it may take longer."""
    return changed(user, lambda tx: (dict(unit(tx)), 200, {}), seconds=MANY_SECONDS)


def _fingerprint() -> bytes:
    """Digest all that a key binds: method, path, query, body, ``If-Match``.

    Keys are those of one user, so the path counts from behind the user on; query and body count as
    what they say, however that is written.
    """
    _, _, _, resource = request.path.split("/", 3)
    body = request.get_data()
    bound = [
        request.method,
        resource,
        sorted(request.args.items(multi=True)),
        orjson.loads(body) if body else None,
        request.headers.get("If-Match"),
    ]
    return hashlib.blake2b(
        orjson.dumps(bound, option=orjson.OPT_SORT_KEYS), digest_size=32
    ).digest()


def expected() -> Expected:
    """Return which tags ``If-Match`` lets a task have; ``None`` when it is absent.

    The comparison is strong: a weak tag never matches (RFC 9110, section 13.1.1).
    """
    if "If-Match" not in request.headers:
        return None
    detail = "If-Match does not name the task's current ETag; 'current' is the task as it is now."
    return Precondition(request.if_match.contains, detail + _mangled(request.if_match))


def _mangled(tags: ETags) -> str:
    """Return what to do about a tag that a proxy rewrote when it compressed the answer."""
    if tags.as_set(include_weak=True) > tags.as_set():
        return f" If-Match has a weak ETag, which never matches. {_UNDO} without the 'W/'."
    for tag in tags.as_set():
        if suffix := _CODING.search(tag):
            return f" If-Match has an ETag that ends in '{suffix[0]}'. {_UNDO} without that ending."
    return ""


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
