"""What a token costs: its signature, and the memory that spares it.

CPU of this process per verification, on an event loop as in the server.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from tests.servers.issuer import Issuer, public_jwk
from todo.auth.key_sets import usable_keys
from todo.auth.token_cache import CachingVerifier
from todo.auth.tokens import Claims, Family, Key, SharedSecret, Verifier, mint

SECRET = "a-secret-of-the-benchmark-0123456789"
ALGORITHMS = ("EdDSA", "ES256", "RS256")
LAYOUT = "{:<10}{:>14}{:>14}{:>8}"


class Verifies(Protocol):
    async def verify(self, token: str) -> Claims: ...


class OneKey:
    """A source of one key, which is there already."""

    version = 0

    def __init__(self, key: Key) -> None:
        self._key = key

    async def keys(self, kid: str | None) -> Sequence[Key]:
        return (self._key,)


def contenders() -> dict[str, tuple[Verifier, str]]:
    """For every algorithm a verifier, and a token that it accepts."""
    shared = Verifier([Family(("HS256",), SharedSecret(SECRET.encode()))], leeway=10)
    found = {"HS256": (shared, mint(SECRET, "alice", hours=1))}
    issuer = Issuer(0)
    for algorithm in ALGORITHMS:
        issuer.add(algorithm, algorithm)
        document = public_jwk(algorithm, *issuer.keys[algorithm])
        key = usable_keys({algorithm: document}, frozenset({algorithm}))[algorithm]
        verifier = Verifier([Family((algorithm,), OneKey(key))], leeway=10)
        found[algorithm] = (verifier, issuer.sign(algorithm, aud=...))
    return found


async def microseconds(verifier: Verifies, token: str, times: int) -> float:
    """CPU of one verification."""
    await verifier.verify(token)
    started = time.process_time()
    for _ in range(times):
        await verifier.verify(token)
    return (time.process_time() - started) / times * 1e6


def token_table(times: int) -> str:
    """The cost of a verification and of a cached one, in microseconds, and their ratio."""
    lines = [LAYOUT.format("token", "verified us", "cached us", "ratio")]
    for algorithm, (verifier, token) in contenders().items():
        caching = CachingVerifier(verifier, leeway=10)
        first = asyncio.run(microseconds(verifier, token, times))
        again = asyncio.run(microseconds(caching, token, times))
        lines.append(
            LAYOUT.format(algorithm, f"{first:.1f}", f"{again:.1f}", f"{first / again:.1f}")
        )
    return "\n".join(lines)
