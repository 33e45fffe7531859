"""Password hashes: argon2id (RFC 9106), computed on two threads of their own.

Eight hashes at once took half a gigabyte at the library's defaults; two at a time, with OWASP's
parameters, take 38 MiB. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet
"""

import unicodedata
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


class OverloadedError(Exception):
    """The server is checking too many passwords at once."""


def prepared(password: str) -> str:
    """Return ``password`` as it is hashed: every space U+0020, then NFC (RFC 8265, section 4.2.2).

    One password typed on two systems is one. Characters that OpaqueString forbids stay.
    """
    spaces = (" " if unicodedata.category(one) == "Zs" else one for one in password)
    return unicodedata.normalize("NFC", "".join(spaces))


def digest(password: str) -> str:
    """Return the hash of ``password``, with its parameters and salt.

    Raises :class:`OverloadedError`.
    """
    return _in_turn(_HASHER.hash, prepared(password))


def matches(password: str, known: str | None) -> bool:
    """Return whether ``known`` is a hash of ``password``; raises :class:`OverloadedError`.

    Older hashes are of the password as it was sent: where that differs it is tried second.
    Without a hash the same work is done for nothing: the time does not tell who has an account.
    """
    return _in_turn(_verify_either, known or _NOBODYS, password) and known is not None


def is_outdated(known: str, password: str) -> bool:
    """Return whether today's rules would make another hash of ``password`` than ``known``.

    Raises :class:`OverloadedError`.
    """
    if _HASHER.check_needs_rehash(known):
        return True
    form = prepared(password)
    return form != password and not _in_turn(_verify, known, form)


def _verify_either(known: str, password: str) -> bool:
    return any(_verify(known, form) for form in dict.fromkeys((prepared(password), password)))


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
        raise OverloadedError from None


@cache
def _threads() -> ThreadPoolExecutor:
    """Return the threads, made with the first password: threads do not survive a fork."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
