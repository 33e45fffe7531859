"""Remembers verified tokens: a user's next requests cost a digest instead of a signature."""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from todo.auth.tokens import Claims, Verifier

CAPACITY: Final = 4096
"""Tokens remembered by one process; the oldest is forgotten first."""
MAX_REMEMBERED: Final = 2048
"""Characters of a token that is remembered. Longer ones are verified each time."""


class CachingVerifier:
    """A verifier in front of another. For one event loop: it takes no locks.

    What is remembered is the verdict on the signature, never on the time: ``exp`` and ``nbf`` are
    looked at on every hit. The key is a digest of the exact token. Everything is forgotten when a
    key of the verifier's changes.
    """

    def __init__(
        self, verifier: Verifier, *, leeway: int, clock: Callable[[], float] = time.time
    ) -> None:
        """Take the verifier that decides, and its ``leeway`` in seconds."""
        self._verifier = verifier
        self._leeway = leeway
        self._clock = clock
        self._version = verifier.version
        self._verified: dict[bytes, Claims] = {}

    async def verify(self, token: str) -> Claims:
        """Return the claims of a valid ``token``; raises like :meth:`Verifier.verify`."""
        self._forget_after_change()
        key = sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = self._verified.get(key)
        if claims is not None and self._is_current(claims):
            return claims
        self._verified.pop(key, None)
        claims = await self._verifier.verify(token)
        self._forget_after_change()
        if len(token) <= MAX_REMEMBERED:
            if len(self._verified) >= CAPACITY:
                del self._verified[next(iter(self._verified))]
            self._verified[key] = claims
        return claims

    def _forget_after_change(self) -> None:
        if self._version != (version := self._verifier.version):
            self._version = version
            self._verified.clear()

    def _is_current(self, claims: Claims) -> bool:
        now = self._clock()
        not_before, expires = int(claims.get("nbf", 0)), int(claims["exp"])
        return not_before - self._leeway <= now < expires + self._leeway
