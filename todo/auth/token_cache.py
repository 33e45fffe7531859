"""The cache of verified tokens: a user's next requests cost a digest instead of a signature."""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from todo.auth.tokens import Claims, Verifier
from todo.metrics.catalogue import TOKEN_CACHE

CAPACITY: Final = 4096
"""Tokens in the cache of one process; the oldest leaves first."""
MAX_CACHED: Final = 2048
"""Characters of a token that is cached. Longer tokens are verified each time."""


class CachingVerifier:
    """A verifier with a cache in front. For one event loop: it takes no locks.

    The cache holds verdicts on signatures, never on the time: each hit compares ``exp`` and
    ``nbf`` with the clock. The key is a digest of the exact token. The cache is emptied when a key
    of the verifier changes.
    """

    def __init__(
        self, verifier: Verifier, *, leeway: int, clock: Callable[[], float] = time.time
    ) -> None:
        """Take the verifier that decides, and its ``leeway`` in seconds."""
        self._verifier = verifier
        self._leeway = leeway
        self._clock = clock
        self._version = verifier.version
        self._cache: dict[bytes, Claims] = {}

    async def verify(self, token: str) -> Claims:
        """Return the claims of a valid ``token``; raises like :meth:`Verifier.verify`."""
        self._clear_after_change()
        key = sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = self._cache.get(key)
        if claims is not None and self._is_current(claims):
            TOKEN_CACHE.inc("hit")
            return claims
        TOKEN_CACHE.inc("miss")
        self._cache.pop(key, None)
        claims = await self._verifier.verify(token)
        self._clear_after_change()
        if len(token) <= MAX_CACHED:
            self._put(key, claims)
        return claims

    def _put(self, key: bytes, claims: Claims) -> None:
        if len(self._cache) >= CAPACITY:
            del self._cache[next(iter(self._cache))]
        self._cache[key] = claims

    def _clear_after_change(self) -> None:
        if self._version != (version := self._verifier.version):
            self._version = version
            self._cache.clear()

    def _is_current(self, claims: Claims) -> bool:
        now = self._clock()
        not_before, expires = int(claims.get("nbf", 0)), int(claims["exp"])
        return not_before - self._leeway <= now < expires + self._leeway
