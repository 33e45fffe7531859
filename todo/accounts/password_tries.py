"""How many wrong tries at passwords and e-mails there may be, from one address and on one account.

Only what fails counts. A try is counted before the password is checked, so that tries at the same
time count, too, and taken back when it has not failed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from limits import RateLimitItemPerMinute

from todo.problems import Problem
from todo.rate_limits.counters import Count, Counters
from todo.values.addresses import subscriber

ACCOUNT_AND_ADDRESS: Final = RateLimitItemPerMinute(10, 15)
"""Wrong tries in a quarter of an hour on one account, whether it exists or not, from one address.
Whoever tries from elsewhere does not keep the account's owner out."""
ACCOUNT: Final = RateLimitItemPerMinute(100, 15)
"""Wrong tries on one account from all addresses together."""
ADDRESS: Final = RateLimitItemPerMinute(100, 15)
"""Wrong tries from one address on all accounts. There are many: a whole office may sit behind one
address."""
CHANGE: Final = RateLimitItemPerMinute(10, 15)
"""Wrong present passwords of whoever has a token of the account."""
FAILURES: Final = ("invalid_credentials", "wrong_password", "email_taken")
"""The codes of what counts. A server that is busy is nobody's wrong try."""


class PasswordTries:
    """Counts the wrong tries; logging in, registering and changing the password each by itself."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    @contextmanager
    def log_in(self, account: str, address: str) -> Iterator[None]:
        """Surround a login to ``account`` from ``address``.

        A right password forgets the wrong ones that came from this address. Raises
        :class:`Problem` ``too_many_attempts``.
        """
        network = subscriber(address)
        with self._counting() as counted:
            both = self._count(counted, ACCOUNT_AND_ADDRESS, "login", account, network)
            self._count(counted, ADDRESS, "login-address", network)
            self._count(counted, ACCOUNT, "login-account", account)
            yield
            self._counters.clear(both)
            counted.remove(both)

    @contextmanager
    def register(self, address: str) -> Iterator[None]:
        """Surround a registration from ``address``.

        Raises :class:`Problem` ``too_many_attempts``.
        """
        with self._counting() as counted:
            self._count(counted, ADDRESS, "register", subscriber(address))
            yield

    @contextmanager
    def change(self, account: str) -> Iterator[None]:
        """Surround a change of the password of ``account``, whose token is verified.

        Raises :class:`Problem` ``too_many_attempts``.
        """
        with self._counting() as counted:
            both = self._count(counted, CHANGE, "password", account)
            yield
            self._counters.clear(both)
            counted.remove(both)

    @contextmanager
    def _counting(self) -> Iterator[list[Count]]:
        """Take back what was counted, unless the try fails."""
        counted: list[Count] = []
        failed = False
        try:
            yield counted
        except Problem as problem:
            failed = problem.code in FAILURES
            raise
        finally:
            for count in () if failed else counted:
                self._counters.take_back(count)

    def _count(
        self, counted: list[Count], limit: RateLimitItemPerMinute, name: str, *whose: str
    ) -> Count:
        count = self._counters.add(limit, name, *whose)
        counted.append(count)
        if count.exceeded:
            raise Problem(
                "too_many_attempts",
                f"Too many attempts; try again in {count.seconds} s.",
                headers=count.headers,
            )
        return count
