"""What HTTP adds to a response: conditional requests (RFC 9110, section 13), repeats under a key,
the next page's link.

Werkzeug parses ``If-Match`` and ``If-None-Match``, and takes an ETag without its quotes for one
with them. A header that is not a list of ETags matches nothing.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

import orjson
from werkzeug.datastructures import ETags

from todo.auth import ME
from todo.auth.user import User
from todo.context import context
from todo.database.deadline import STATEMENT_SECONDS
from todo.database.transactions import MANY_SECONDS
from todo.http.request import current
from todo.sync import reads
from todo.sync.etags import LENGTH, etag_of
from todo.sync.idempotency import Repeatable
from todo.sync.preconditions import Precondition
from todo.sync.resource import E, Resource
from todo.sync.runs import run
from todo.sync.sync_tokens import BEGINNING
from todo.sync.unit_of_work import UnitOfWork

Json = dict[str, Any]
Response = tuple[Json | None, int, dict[str, str]]
"""A body, a status, and headers."""

_SUFFIX: Final = re.compile(rf"(?<=^.{{{LENGTH}}})[-;:.+]+(?:gzip|br|zstd|deflate)$", re.IGNORECASE)
"""What proxies append to the ETag of a response that they compress."""
_ADVICE: Final = "A compressing proxy has changed the ETag: send the ETag"
REPLAYED: Final = {"Idempotency-Replayed": "true"}


def commit(
    user: User, work: Callable[[UnitOfWork], Response], *, seconds: float = STATEMENT_SECONDS
) -> Response:
    """Return the response of ``work``, a unit of work, once it is committed.

    With an ``Idempotency-Key`` the response is kept with the change, and a repeat gets it again.
    Raises what :func:`todo.sync.runs.run` does.
    """
    (body, status, headers), replayed = run(
        user,
        work,
        repeatable=_repeatable(),
        seconds=seconds,
        most_entries=context().changes_per_user,
    )
    headers = _for_client(headers)
    return body, status, {**headers, **REPLAYED} if replayed else headers


def _for_client(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers of a response that may have been kept: its path has no prefix yet."""
    if "Location" not in headers:
        return headers
    return {**headers, "Location": current().prefix + headers["Location"]}


def commit_many(user: User, work: Callable[[UnitOfWork], Mapping[str, Any]]) -> Response:
    """Return what ``work`` returns, like :func:`commit`; it may take longer."""
    return commit(user, lambda unit: (dict(work(unit)), 200, {}), seconds=MANY_SECONDS)


def _repeatable() -> Repeatable | None:
    """Return the request as one that may be repeated, if it has an ``Idempotency-Key``."""
    key = current().headers.get("Idempotency-Key")
    if key is None:
        return None
    return Repeatable(key, _fingerprint(), context().idempotency_hours)


def _fingerprint() -> bytes:
    """Digest all that a key binds: method, path, query, body, ``If-Match``.

    Keys are those of one user, so the path counts from behind the user on; query and body count as
    what they say, however that is written.
    """
    request = current()
    _, _, _, resource = request.path.split("/", 3)
    bound = [
        request.method,
        resource,
        sorted(request.args.items(multi=True)),
        orjson.loads(request.body) if request.body else None,
        request.headers.get("If-Match"),
    ]
    return hashlib.blake2b(
        orjson.dumps(bound, option=orjson.OPT_SORT_KEYS), digest_size=32
    ).digest()


def if_match() -> Precondition | None:
    """Return which ETags ``If-Match`` lets an entity have; ``None`` when the header is absent.

    The comparison is strong: a weak ETag never matches (RFC 9110, section 13.1.1).
    """
    request = current()
    if "If-Match" not in request.headers:
        return None
    detail = "If-Match does not name the current ETag; 'current' has what is stored now."
    return Precondition(request.if_match.contains, detail + _mangled(request.if_match))


def _mangled(etags: ETags) -> str:
    """Return what to do about an ETag that a proxy rewrote when it compressed the response."""
    if etags.as_set(include_weak=True) > etags.as_set():
        return f" If-Match has a weak ETag, which never matches. {_ADVICE} without the 'W/'."
    for etag in etags.as_set():
        if suffix := _SUFFIX.search(etag):
            ending = f" If-Match has an ETag that ends in '{suffix[0]}'."
            return f"{ending} {_ADVICE} without that ending."
    return ""


def etag_header(etag: str | None) -> dict[str, str]:
    """Return the header that carries ``etag``, if there is one."""
    return {} if etag is None else {"ETag": f'"{etag}"'}


def shown(entity: E, status: int = 200, **headers: str) -> Response:
    """Respond with ``entity`` and its ETag."""
    return dict(entity), status, {**headers, **etag_header(etag_of(entity))}


def created(resource: Resource[E], entity: E) -> Response:
    """Respond with a new ``entity``, and with its path in ``Location``; ``commit`` prefixes it."""
    path = f"/api/{_segment(entity['user_id'])}/{resource.plural}/{entity['id']}"
    return shown(entity, 201, Location=path)


def _segment(user_id: str) -> str:
    """The path segment of a user: ``me`` where the id itself cannot be one."""
    return ME if "/" in user_id or user_id in (".", "..") else quote(user_id, safe="")


def moved_to_trash(entity: E) -> Response:
    """Respond that ``entity`` is in the trash, with its ETag there and the revision that it got."""
    return None, 204, {**etag_header(etag_of(entity)), "Revision": str(entity["revision"])}


def removed(_entity: E) -> Response:
    """Respond that an entity is nowhere any more."""
    return None, 204, {}


def shown_or_not_modified(entity: E) -> Response:
    """Respond with ``entity``, or with 304 when ``If-None-Match`` has its ETag."""
    if _client_has(etag_of(entity)):
        return None, 304, etag_header(etag_of(entity))
    return shown(entity)


def _client_has(etag: str) -> bool:
    """Whether ``If-None-Match`` has ``etag``; the comparison is weak (RFC 9110, section 13.1.2)."""
    request = current()
    return "If-None-Match" in request.headers and request.if_none_match.contains_weak(etag)


def list_not_modified(user_id: str, etag_at: Callable[[str], str | None]) -> Response | None:
    """Respond with 304 when ``If-None-Match`` has the ETag of a list as it is now.

    ``etag_at`` gives the list's ETag at a sync token of the user, which is all that is read.
    """
    if "If-None-Match" not in current().headers or etag_at(BEGINNING.token) is None:
        return None
    etag = etag_at(reads.place(user_id).token)
    known = etag is not None and _client_has(etag)
    return (None, 304, etag_header(etag)) if known else None


def link_to_next(cursor: str | None) -> dict[str, str]:
    """Return the header that has the target of the next page (RFC 8288), if there is one."""
    if cursor is None:
        return {}
    request = current()
    query = parse_qsl(request.query_string.decode("ascii"), keep_blank_values=True)
    kept = [(name, value) for name, value in query if name not in ("cursor", "skip")]
    target = f"{request.prefix}{quote(request.path)}?{urlencode([*kept, ('cursor', cursor)])}"
    return {"Link": f'<{target}>; rel="next"'}
