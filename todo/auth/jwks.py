"""The issuer's public keys (JWKS, RFC 7517): in memory, and in step with the other processes.

For one event loop: it takes no locks. A known key is returned at once, whatever the issuer and the
store do. A timer looks at what the processes share, and fetches the set when nobody else has; a key
that is in neither causes a fetch at once.
"""

import asyncio
import math
import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import jwt
import structlog

from todo.auth import key_fetch
from todo.auth.invalid_token import InvalidTokenError
from todo.auth.key_fetch import FAILURES, FETCH_SECONDS, reason
from todo.auth.key_sets import Documents, UnusableKeySetError, usable_keys
from todo.auth.key_store import GAP_SECONDS, Fetches, KeyStore
from todo.auth.tokens import Key, KeysUnavailableError
from todo.metrics.catalogue import KEYS_CONFIRMED, KEYS_FAILURES

LOOK_SECONDS: Final = 0.25
"""The least time between two looks at the store; an unknown key waits for the next one."""
POLL_SECONDS: Final = 0.1
"""How soon the store is looked at again while another process fetches."""
STALE_SECONDS: Final = 86_400.0
"""How long a key is trusted after the issuer last confirmed it."""
MOST_ASKED: Final = 1_000
"""Unknown ``kid``s that are remembered; the oldest leaves first."""

_ID: Final = re.compile(r"(?!.*\.\.)[\w=+:.~/#@-]{1,255}", re.ASCII)
"""What a ``kid`` may be that an issuer makes later: an id, a thumbprint, a URL."""

log = structlog.get_logger("todo.auth")


class Jwks:
    """The keys of one issuer."""

    def __init__(
        self,
        url: str,
        algorithms: Iterable[str],
        *,
        fresh: float,
        store: KeyStore | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the keys at ``url`` for ``algorithms``, and share them through the ``store``.

        A key that the issuer withdrew is unknown ``fresh`` seconds later at the latest, if the
        issuer answers: the set is confirmed again at half of that.
        """
        self.url = url
        self._algorithms = frozenset(algorithms)
        self._fresh = fresh
        self._half = max(fresh / 2, GAP_SECONDS)
        self._fetches = Fetches(store, clock)
        self._clock = clock
        self._client = key_fetch.client()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._documents: Documents = {}
        self._version = 0
        self._confirmed = -math.inf
        self._began = -math.inf
        """A moment before which the fetch that brought the set had not begun."""
        self._asked: dict[str, float] = {}
        """When an unknown key was first asked for; for a withdrawn one, long ago."""
        self._put_aside: tuple[Documents, float] | None = None
        """A set of the store's, and its moment, for the case that the issuer does not answer."""
        self._failed = False
        self._looked_at = -math.inf
        """When the last look at the store began."""
        self._looked = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def version(self) -> int:
        """Grows whenever the set of keys changes."""
        return self._version

    @property
    def age(self) -> float:
        """Seconds since the issuer last confirmed the set; infinite before it ever did."""
        return self._clock() - self._confirmed

    @property
    def available(self) -> bool:
        """Whether there are keys that the issuer has confirmed within :data:`STALE_SECONDS`."""
        return self.age < STALE_SECONDS

    def start(self, kid: str | None = None) -> None:
        """Renew the keys on the running event loop, without waiting for them.

        ``kid`` names a key that is not known and is looked for.
        """
        if self._work is None:
            self._looked.clear()
            self._work = asyncio.get_running_loop().create_task(self._renew(kid))

    async def fetch(self) -> tuple[Documents, str | None]:
        """Return the issuer's public keys, and its clock (``Date``), without keeping them.

        Raises :data:`FAILURES`.
        """
        return await key_fetch.fetch(self._client, self.url)

    async def keys(self, kid: str | None) -> Sequence[Key]:
        """Return the key ``kid``.

        An unknown key waits for what is under way, which all callers share, and then for a fetch
        of its own, since the first may have begun before the key was made. Raises
        :class:`InvalidTokenError` ``kid_unknown`` when the issuer has no such key, and
        :class:`KeysUnavailableError` when the issuer did not say so: it did not respond, or it was
        asked a moment ago and may have made the key since.
        """
        if kid is None:
            raise InvalidTokenError(
                "kid_unknown", "The token names no key: its header has no 'kid'."
            )
        if (key := self._known(kid) or await self._found(kid)) is not None:
            return (key,)
        if not self._is_absent(kid):
            raise KeysUnavailableError
        raise InvalidTokenError("kid_unknown", "The issuer has no key with the token's 'kid'.")

    def _known(self, kid: str) -> jwt.PyJWK | None:
        return self._keys.get(kid) if self.available else None

    def _is_absent(self, kid: str) -> bool:
        """Whether the issuer has said, after ``kid`` was asked for, that it has no such key.

        It need not say so of what is no id, such as a path or a statement of SQL.
        """
        asked = self._asked.get(kid, math.inf)
        is_told = asked <= self._began or not _ID.fullmatch(kid)
        return self.available and not self._failed and is_told

    async def _found(self, kid: str) -> jwt.PyJWK | None:
        """Return the key ``kid`` after a look at the store and, if one may begin, a fetch."""
        now = self._clock()
        self._remember(kid, now)
        for _ in range(2):
            is_told = self._is_absent(kid) or self._looked_at >= now
            if is_told and self._fetches.distance() > 0:
                break
            self.start(kid)
            work = self._work
            await self._looked.wait()
            if (key := self._known(kid)) is not None:
                return key
            if work is not None:
                await asyncio.shield(work)
        return self._known(kid)

    def _remember(self, kid: str, moment: float) -> None:
        if kid not in self._asked and len(self._asked) >= MOST_ASKED:
            del self._asked[next(iter(self._asked))]
        self._asked.setdefault(kid, moment)

    async def _renew(self, kid: str | None) -> None:
        """Look at the store, then fetch if that leaves something to wish and it may begin."""
        try:
            if kid is not None:
                await asyncio.sleep(LOOK_SECONDS - (self._clock() - self._looked_at))
            for _ in range(2):  # again when another process was faster
                await self._look_until_ended(kid)
                self._looked.set()
                if not self._lacks(kid) or self._fetches.distance() > 0:
                    break
                if (claim := await self._fetches.claim()) is not None:
                    await self._fetch(claim, is_routine=kid is None)
                    break
        finally:
            self._looked.set()
            self._end()

    def _lacks(self, kid: str | None) -> bool:
        return self.age >= self._half or (kid is not None and self._known(kid) is None)

    async def _look_until_ended(self, kid: str | None) -> None:
        """Look at the store; while another process fetches what is lacking, look again."""
        pause = POLL_SECONDS
        while True:
            self._looked_at = self._clock()
            shared = await self._fetches.look()
            if shared.documents is not None:
                self._consider(shared.documents, self._clock() - max(shared.age, 0.0))
            is_alive = abs(shared.attempted or 0.0) < FETCH_SECONDS + pause
            if not (shared.under_way and is_alive and self._lacks(kid)):
                return
            await asyncio.sleep(pause)
            pause *= 2

    def _consider(self, documents: Documents, confirmed: float) -> None:
        """Take a set of the store's: at once if it is fresh, else if the issuer does not answer."""
        if self._clock() - confirmed < self._fresh:
            self._take(documents, confirmed, began=confirmed - FETCH_SECONDS)
        else:
            self._put_aside = (documents, confirmed)

    async def _fetch(self, claim: str, *, is_routine: bool) -> None:
        began = self._clock()
        try:
            documents, _ = await self.fetch()
            self._use(documents, self._clock(), began=began)
        except FAILURES as error:
            self._failed = True
            KEYS_FAILURES.inc()
            log.warning("jwks.failed", url=self.url, reason=reason(error))
            await self._fetches.fail(claim)
        else:
            # Better Auth makes its first key when it is first asked: routine delays no new key.
            await self._fetches.confirm(claim, documents, free=is_routine)

    def _take(self, documents: Documents, confirmed: float, *, began: float) -> None:
        """Use a set of the store's if it is newer than this one and has keys for the settings."""
        if confirmed > self._confirmed:
            try:
                self._use(documents, confirmed, began=began)
            except UnusableKeySetError as error:
                log.warning("jwks.unusable", url=self.url, reason=str(error))

    def _use(self, documents: Documents, confirmed: float, *, began: float) -> None:
        if documents != self._documents:
            self._replace(documents, usable_keys(documents, self._algorithms))
            log.info("jwks.changed", url=self.url, keys=len(self._keys))
        elif not documents:
            usable_keys(documents, self._algorithms)
        self._failed, self._confirmed, self._began = False, confirmed, began
        KEYS_CONFIRMED.set(time.time() - self.age)

    def _replace(self, documents: Documents, keys: dict[str, jwt.PyJWK]) -> None:
        for withdrawn in self._keys.keys() - keys.keys():
            self._asked.pop(withdrawn, None)
            self._remember(withdrawn, -math.inf)
        self._documents, self._keys = documents, keys
        self._version += 1

    def _end(self) -> None:
        """Use what was put aside, forget what nobody has confirmed for a day, set the timer."""
        if self._put_aside is not None:
            self._take(*self._put_aside, began=-math.inf)
            self._put_aside = None
        if self._keys and not self.available:
            self._replace({}, {})
        self._work = None
        if self._timer is not None:
            self._timer.cancel()
        seconds = self._half - self.age if self.age < self._half else self._fetches.distance()
        self._timer = asyncio.get_running_loop().call_later(max(seconds, LOOK_SECONDS), self.start)
