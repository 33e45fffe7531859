"""The throttle of logins: how many attempts an account and an address have, in one process."""

import ipaddress
import math
import time
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

PER_ACCOUNT: Final = RateLimitItemPerMinute(10, 15, namespace="account")
"""Attempts on one account, whether it exists or not, in a quarter of an hour."""
PER_ADDRESS: Final = RateLimitItemPerMinute(100, 15, namespace="address")
"""Attempts from one address. There are many: a whole office may sit behind one address."""


class TooManyAttemptsError(Exception):
    """Another attempt is not allowed before :attr:`seconds` have passed."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class LoginThrottle:
    """Counts the attempts that one process has seen."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, *, address: str | None = None, account: str | None = None) -> None:
        """Count one attempt, before anything is looked up.

        Raises :class:`TooManyAttemptsError` when the ``address`` or the ``account`` has no attempt
        left.
        """
        if address is not None:
            self._hit(PER_ADDRESS, _network(address))
        if account is not None:
            self._hit(PER_ACCOUNT, account)

    def reset(self, account: str) -> None:
        """Give an ``account`` whose password was right all of its attempts again."""
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
