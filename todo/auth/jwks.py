"""The issuer's public keys (JWKS, RFC 7517), fetched in the background.

For one event loop: it takes no locks. A known key is returned at once, whatever the issuer does. A
timer fetches the set again; a key that is not in it causes a fetch at once.
"""

import asyncio
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import httpx
import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from todo.auth.invalid_token import InvalidTokenError
from todo.auth.tokens import Key, KeysUnavailableError
from todo.metrics.catalogue import KEYS_CONFIRMED, KEYS_FAILURES

MAX_BYTES: Final = 65_536
"""Bytes of a JWKS document."""
FETCH_SECONDS: Final = 2.0
"""How long one fetch may take, from the name's resolution to the last byte."""
GAP_SECONDS: Final = 5.0
"""The least time between two fetches that unknown keys cause, and after one that failed."""
STALE_SECONDS: Final = 86_400.0
"""How long a key is trusted after the issuer last confirmed it."""
MIN_RSA_BITS: Final = 2048
"""RFC 7518, section 3.3."""

log = structlog.get_logger("todo.auth")


class UnusableKeySetError(Exception):
    """The issuer sent no key set that could verify tokens; the text says why."""


FAILURES: Final = (httpx.HTTPError, OSError, TimeoutError, UnusableKeySetError)
"""Everything that a fetch can end with instead of keys."""


def reason(failure: BaseException) -> str:
    """Return one of :data:`FAILURES` in a few words, for people."""
    if isinstance(failure, TimeoutError):
        return f"the response was not complete within {FETCH_SECONDS:.0f} s"
    return (str(failure) or type(failure).__name__)[:200]


class Jwks:
    """The keys of one issuer."""

    def __init__(
        self,
        url: str,
        algorithms: Iterable[str],
        *,
        fresh: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the keys at ``url`` for ``algorithms``.

        A key that the issuer withdrew is unknown ``fresh`` seconds later at the latest, if the
        issuer answers: the set is fetched again at half of that.
        """
        self.url = url
        self._algorithms = frozenset(algorithms)
        self._fresh = fresh
        self._clock = clock
        self._client = httpx.AsyncClient(
            timeout=FETCH_SECONDS,
            follow_redirects=False,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self._keys: dict[str, jwt.PyJWK] = {}
        self._documents: dict[str, Any] = {}
        self._version = 0
        self._confirmed: float | None = None
        self._fetched_at = -math.inf
        """When an unknown key last caused a fetch."""
        self._failed_at = -math.inf
        self._failed = False
        self._fetching: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def version(self) -> int:
        """Grows whenever the set of keys changes."""
        return self._version

    @property
    def available(self) -> bool:
        """Whether there are keys that the issuer has confirmed within :data:`STALE_SECONDS`."""
        return self._confirmed is not None and self._clock() - self._confirmed < STALE_SECONDS

    def start(self) -> None:
        """Fetch the keys, on the running event loop, without waiting for them."""
        if self._fetching is None:
            self._fetching = asyncio.get_running_loop().create_task(self._refresh())

    async def keys(self, kid: str | None) -> Sequence[Key]:
        """Return the key ``kid``.

        An unknown key waits for a fetch, which all callers share: first for the fetch that is
        under way, then for one of its own, since the first may have begun before the key was made.
        Raises :class:`InvalidTokenError` ``kid_unknown`` when the issuer has no such key, and
        :class:`KeysUnavailableError` when the issuer did not respond.
        """
        if kid is None:
            raise InvalidTokenError(
                "kid_unknown", "The token names no key: its header has no 'kid'."
            )
        for _ in range(2):
            if (key := self._known(kid)) is not None:
                return (key,)
            self._fetch_for_unknown_key()
            if self._fetching is not None:
                await asyncio.shield(self._fetching)
        if (key := self._known(kid)) is not None:
            return (key,)
        if self._failed or not self.available:
            raise KeysUnavailableError
        raise InvalidTokenError("kid_unknown", "The issuer has no key with the token's 'kid'.")

    def _known(self, kid: str) -> jwt.PyJWK | None:
        return self._keys.get(kid) if self.available else None

    def _fetch_for_unknown_key(self) -> None:
        """Start a fetch, unless an unknown key caused one, or one failed, a moment ago."""
        now = self._clock()
        if self._fetching is None and now - max(self._fetched_at, self._failed_at) >= GAP_SECONDS:
            self._fetched_at = now
            self.start()

    async def _refresh(self) -> None:
        try:
            documents, _ = await self.fetch()
            keys = usable_keys(documents, self._algorithms)
        except FAILURES as error:
            self._failed, self._failed_at = True, self._clock()
            KEYS_FAILURES.inc()
            log.warning("jwks.failed", url=self.url, reason=reason(error))
        else:
            self._failed = False
            self._confirmed = self._clock()
            KEYS_CONFIRMED.set(time.time())
            if documents != self._documents:
                self._documents, self._keys = documents, keys
                self._version += 1
                log.info("jwks.changed", url=self.url, keys=len(keys))
        finally:
            self._fetching = None
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        seconds = GAP_SECONDS if self._failed else max(self._fresh / 2, GAP_SECONDS)
        self._timer = asyncio.get_running_loop().call_later(seconds, self.start)

    async def fetch(self) -> tuple[dict[str, Any], str | None]:
        """Return the issuer's keys by their ``kid``, as they came, and its clock (``Date``).

        Raises :data:`FAILURES`.
        """
        async with asyncio.timeout(FETCH_SECONDS), self._client.stream("GET", self.url) as response:
            if response.status_code != httpx.codes.OK:
                raise UnusableKeySetError(f"the response is HTTP {response.status_code}")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise UnusableKeySetError("the response is compressed")
            body = b""
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise UnusableKeySetError(f"the response exceeds {MAX_BYTES} bytes")
        return _documents(body), response.headers.get("date")


def _documents(body: bytes) -> dict[str, Any]:
    try:
        keys = json.loads(body)["keys"]
        return {key["kid"]: key for key in keys if isinstance(key.get("kid"), str)}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UnusableKeySetError("the response is not a JWKS document") from None


def usable_keys(documents: Mapping[str, Any], algorithms: frozenset[str]) -> dict[str, jwt.PyJWK]:
    """Return the keys among ``documents`` (JWKs by ``kid``) that may verify ``algorithms``.

    Left out are symmetric and private keys, those for another use, small ones, and whatever does
    not parse. Raises :class:`UnusableKeySetError` when none is left.
    """
    usable = {}
    for kid, document in documents.items():
        if (key := _usable(document)) is not None and key.algorithm_name in algorithms:
            usable[kid] = key
    if not usable:
        raise UnusableKeySetError(
            f"the response has no usable key for {', '.join(sorted(algorithms))}"
        )
    return usable


def _usable(document: Mapping[str, Any]) -> jwt.PyJWK | None:
    operations = document.get("key_ops", ["verify"])
    if (
        document.get("kty") == "oct"
        or "d" in document
        or document.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
    ):
        return None
    try:
        key = jwt.PyJWK(dict(document))
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError):
        return None
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < MIN_RSA_BITS:
        return None
    return key
