"""One request and its response, as the access log and the metrics tell of it.

The edge leaves an exchange in the ASGI scope. Each layer writes into it what that layer alone
knows. Nothing in it is a token, a title, or any other text of the client's but the request id.
"""

import time
from collections.abc import Callable
from typing import Final

from starlette.types import Scope

_KEY: Final = "todo.exchange"

CLIENT_GONE: Final = 499
"""The status that is told of a request whose client went away before the response began: nginx has
the same number for it. No client ever gets it."""


class Exchange:
    """What is known of a request; moments are in seconds of ``time.perf_counter``."""

    __slots__ = (
        "begun",
        "code",
        "database",
        "ended",
        "is_stream",
        "operation",
        "queued",
        "request_id",
        "sent",
        "started",
        "status",
        "traceparent",
        "turned",
        "user",
    )

    def __init__(self) -> None:
        self.begun = time.perf_counter()
        self.ended = self.begun
        self.queued: float | None = None
        """When the request began to wait for other requests of its user."""
        self.turned: float | None = None
        """When its user's turn came, and it began to wait for a thread."""
        self.started: float | None = None
        """When the request got its thread."""
        self.database: float | None = None
        """The seconds that its thread spent on the database."""
        self.status = CLIENT_GONE
        self.sent = 0
        """Bytes of the response's body."""
        self.request_id = ""
        self.traceparent: str | None = None
        self.operation: str | None = None
        """The operationId, ``None`` where nothing was routed."""
        self.code: str | None = None
        """The code of the problem that the response is."""
        self.user: str | None = None
        """The ``sub`` of the verified token."""
        self.is_stream = False

    @property
    def seconds(self) -> float:
        """How long the exchange took."""
        return self.ended - self.begun

    @property
    def waited_for_own(self) -> float | None:
        """The seconds that the request waited for others of its user; ``None`` if it needed no
        thread.
        """
        if self.queued is None:
            return None
        return (self.turned or self.ended) - self.queued

    @property
    def waited(self) -> float | None:
        """The seconds that the request then waited for a thread; ``None`` if it did not."""
        if self.turned is None:
            return None
        return (self.started or self.ended) - self.turned

    def turn(self) -> None:
        """Note that the user's turn has come."""
        self.turned = time.perf_counter()


Watcher = Callable[[Scope, Exchange], None]
"""What is told of each exchange when it is over. It must not raise."""


def exchange_of(scope: Scope) -> Exchange:
    """Return the exchange of a request; a new one where the edge has left none."""
    found: Exchange | None = scope.get(_KEY)
    if found is None:
        found = scope[_KEY] = Exchange()
    return found
