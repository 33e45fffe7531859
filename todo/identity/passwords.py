"""Password hashes: argon2id (RFC 9106), on two threads of its own.

Eight hashes at once took half a gigabyte at the library's defaults; two at a time, with OWASP's
parameters, take 38 MiB. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

THREADS: Final = 2
"""Hashes that are computed at the same time."""
WAIT_SECONDS: Final = 3.0
"""How long one password may wait for its turn and its hash together."""

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

_NOBODYS: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$te+rkv7++8zirkAIK"
    "K058A$EU5fuxktba7SSRU1BXJzRYBbyR9fsvJhQcfi9h7td9g"
)
"""The hash of a random text that was thrown away, by the same parameters."""

T = TypeVar("T")


class Overloaded(Exception):  # noqa: N818 - it is a state
    """Too many passwords are being looked at."""


def digest(password: str) -> str:
    """Return the hash of ``password``, with its parameters and salt; raises :class:`Overloaded`."""
    return _in_turn(_HASHER.hash, password)


def matches(password: str, known: str | None) -> bool:
    """Return whether ``known`` is a hash of ``password``; raises :class:`Overloaded`.

    Without a hash the same work is done for nothing: the time does not tell who has an account.
    """
    return _in_turn(_verify, known or _NOBODYS, password) and known is not None


def is_outdated(known: str) -> bool:
    """Return whether ``known`` was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(known)


def _verify(known: str, password: str) -> bool:
    try:
        return _HASHER.verify(known, password)
    except (VerificationError, InvalidHashError):
        return False


def _in_turn(function: Callable[..., T], *arguments: str) -> T:
    work = _threads().submit(function, *arguments)
    try:
        return work.result(WAIT_SECONDS)
    except TimeoutError:
        work.cancel()
        raise Overloaded from None


@cache
def _threads() -> ThreadPoolExecutor:
    """Made with the first password: threads do not survive a fork."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
