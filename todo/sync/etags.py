"""ETags (RFC 9110, section 8.8): strong, opaque, and of one user.

An ETag is a digest of the user and of a version: of an entity, the revision and the moment at which
it last changed; of a list, the user's place in the log, which every change of any entity moves.
Revisions alone repeat when a database is restored and nobody moves them ahead. With the user in it
no cache of a browser takes the response to one user for that to another, though both asked for
``/api/me/tasks``.
"""

import base64
import hashlib
from typing import Final

from todo.sync.resource import Entity

REPRESENTATION: Final = 2
"""Raise it when entities or lists change their form: then no copy in the old form is current."""
_BYTES: Final = 9
LENGTH: Final = _BYTES * 4 // 3
"""Characters of an ETag: letters, digits, ``-`` and ``_``, which may be its last ones."""


def etag(user_id: str, version: str, variant: str = "") -> str:
    """Return the ETag, without its quotes, of what the user has at a ``version``.

    ``variant`` is whatever else the response depends on, such as the caller's date.
    """
    text = f"{REPRESENTATION}\n{version}\n{variant}\n{user_id}"
    digest = hashlib.blake2b(text.encode(), digest_size=_BYTES).digest()
    return base64.urlsafe_b64encode(digest).decode()


def etag_of(entity: Entity) -> str:
    """Return the ETag of an entity of any resource."""
    return etag(entity["user_id"], f"{entity['revision']} {entity['updated_at']}")
