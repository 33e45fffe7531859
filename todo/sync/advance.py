"""Moving all revisions ahead, once a backup was restored.

What happened after the backup is gone, but clients, caches and other systems have seen its ids,
revisions, ETags, cursors and sync tokens. None of them may come to mean something else.

All users move to one revision: the number of microseconds since 1970. Nobody makes a million
changes a second, so no revision that was given before this moment reaches it, whichever backup is
restored, and however often. A sum of the last revision and a gap would be the same number each time
that one backup is restored.
"""

import time
from typing import Final

from sqlalchemy import Connection, func, select

from todo.models import advances, users
from todo.sync import writer
from todo.sync.log import new_nonce
from todo.values.clock import now

GAP: Final = 1_000_000_000
"""How far ahead of the highest revision users move where this machine's clock is behind it."""

_HIGHEST: Final = (
    select(func.max(users.c.revision)),
    select(func.max(advances.c.revision)),
)


def advance(connection: Connection) -> int:
    """Move all revisions ahead, in the transaction of ``connection``; return how many users moved.

    Every log begins anew: no sync token, no entry of the history and no undo reaches behind it.
    """
    highest = max(connection.execute(one).scalar() or 0 for one in _HIGHEST)
    microseconds = time.time_ns() // 1000
    ahead = microseconds if microseconds > highest else highest + GAP
    return writer.advance(connection, ahead, new_nonce(), now())
