"""How often somebody may try a password: per account and per address, in one process."""

import ipaddress
import math
import time
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

PER_ACCOUNT: Final = RateLimitItemPerMinute(10, 15, namespace="account")
"""LoginThrottle on one account, known or not, in a quarter of an hour."""
PER_ADDRESS: Final = RateLimitItemPerMinute(100, 15, namespace="address")
"""LoginThrottle from one address. It is generous: a whole office may sit behind one."""


class TooManyAttemptsError(Exception):
    """Another attempt is not allowed before :attr:`seconds` have passed."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class LoginThrottle:
    """The attempts that one process has seen."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, *, address: str | None = None, account: str | None = None) -> None:
        """Count one attempt, before anything is looked at; raises :class:`TooManyAttemptsError`."""
        if address is not None:
            self._hit(PER_ADDRESS, _network(address))
        if account is not None:
            self._hit(PER_ACCOUNT, account)

    def forget(self, account: str) -> None:
        """Begin anew for an ``account`` whose password was right."""
        self._limiter.clear(PER_ACCOUNT, account)

    def _hit(self, limit: RateLimitItem, key: str) -> None:
        if not self._limiter.hit(limit, key):
            window = self._limiter.get_window_stats(limit, key)
            raise TooManyAttemptsError(max(1, math.ceil(window.reset_time - time.time())))


def _network(address: str) -> str:
    """One subscriber has a /64 of IPv6 (RFC 6177): its addresses count as one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:  # a dual-stack socket
        parsed = parsed.ipv4_mapped
    prefix = 64 if parsed.version == 6 else 32  # noqa: PLR2004 - the two versions of IP
    return str(ipaddress.ip_network((parsed, prefix), strict=False))
