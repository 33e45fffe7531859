"""What all processes of the service know together of an issuer's keys, and whose turn a fetch is.

Where it is kept is not said here: :class:`KeyStore` is what a keeper promises. While there is none,
or it is away, each process keeps the distance between fetches by itself.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from todo.auth.key_sets import Documents

GAP_SECONDS: Final = 5.0
"""The least time between two fetches that unknown keys cause, and after one that failed."""

log = structlog.get_logger("todo.auth")


class KeyStoreError(Exception):
    """The store did not answer; the text says why."""


@dataclass(frozen=True)
class Shared:
    """What the store has of one issuer. Moments are told as ages, in seconds by its own clock."""

    version: str | None = None
    """Tells one confirmation from another; ``None`` before the first."""
    documents: Documents | None = None
    """The key set that was confirmed last; ``None`` when the asker has seen its version."""
    age: float = 0.0
    """How long ago the key set was confirmed."""
    attempted: float | None = None
    """How long ago the fetch began that the next one keeps its distance from, if there is one."""
    under_way: bool = False
    """Whether nobody has said yet how that fetch ended."""


class KeyStore(Protocol):
    """Keeps the key set of one issuer. Every method raises :class:`KeyStoreError`."""

    async def look(self, seen: str | None) -> Shared:
        """Return what the store has; the documents only when their version is not ``seen``."""

    async def claim(self, seen: str | None, gap: float) -> str | None:
        """Claim the next fetch; return ``None`` when it is not the caller's.

        One caller gets it at a time, not within ``gap`` seconds of the last one, and only while
        the confirmed version is the one that the caller has ``seen``.
        """

    async def confirm(self, claim: str, documents: Documents | None, *, free: bool) -> str | None:
        """Keep the ``documents`` that the claimed fetch has brought; return their version.

        ``None`` for ``documents`` says that they are those of the version that was seen. With
        ``free`` the next fetch need not keep its distance. When the claim is no longer the last
        one, nothing is kept, and the result is ``None``.
        """

    async def fail(self, claim: str) -> None:
        """Say that the claimed fetch has failed."""


_OWN: Final = ""
"""The claim of a process that nobody tells what others do."""


class Fetches:
    """Whose turn the next fetch is: by the store, and by this process alone while that is away."""

    def __init__(self, store: KeyStore | None, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._seen: str | None = None
        self._kept: Documents | None = None
        """The documents of that version."""
        self._attempted = -math.inf
        """When the fetch began that the next one keeps its distance from."""
        self._is_away = store is None

    def distance(self) -> float:
        """Return how many seconds the next fetch has to wait; 0 or less when it may begin."""
        return GAP_SECONDS - (self._clock() - self._attempted)

    async def look(self) -> Shared:
        """Return what the store has, and has not told before: nothing when there is none."""
        if self._store is None:
            return Shared()
        try:
            shared = await self._store.look(self._seen)
        except KeyStoreError as error:
            self._note_away(error)
            return Shared()
        self._is_away, self._seen = False, shared.version
        if shared.documents is not None or shared.version is None:  # news, or the row is gone
            self._kept = shared.documents
        # A clock that was set back can leave a moment to come, which nobody waits for.
        counts = shared.attempted is not None and abs(shared.attempted) < GAP_SECONDS
        self._attempted = self._clock() - (shared.attempted or 0.0) if counts else -math.inf
        return shared

    async def claim(self) -> str | None:
        """Return a claim of the next fetch; ``None`` when another process was faster."""
        claim: str | None = _OWN
        if self._store is not None and not self._is_away:
            try:
                claim = await self._store.claim(self._seen, GAP_SECONDS)
            except KeyStoreError as error:
                self._note_away(error)
        if claim is not None:
            self._attempted = self._clock()
        return claim

    async def confirm(self, claim: str, documents: Documents, *, free: bool) -> None:
        """Tell the store what the claimed fetch has brought, as in :meth:`KeyStore.confirm`."""
        if free:
            self._attempted = -math.inf
        if self._store is None or claim == _OWN:
            return
        changed = documents if documents != self._kept else None
        try:
            self._seen = await self._store.confirm(claim, changed, free=free)
            self._kept = documents
        except KeyStoreError as error:
            self._note_away(error)

    async def fail(self, claim: str) -> None:
        """Tell the store that the claimed fetch has failed."""
        if self._store is not None and claim != _OWN:
            try:
                await self._store.fail(claim)
            except KeyStoreError as error:
                self._note_away(error)

    def _note_away(self, error: KeyStoreError) -> None:
        if not self._is_away:
            log.warning("jwks.not_shared", reason=str(error))
        self._is_away = True
