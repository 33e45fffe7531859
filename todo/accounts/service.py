"""Local accounts, which are this server's own: register, log in, change the password.

An account is found by the key of its e-mail or by its user id. ``accounts`` is the only table that
is not found by ``user_id`` alone, since nobody knows the user before the login.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self, TypeVar

from sqlalchemy import Connection, bindparam, case, select, update

from todo.auth import local_tokens, passwords
from todo.auth.local_tokens import new_subject
from todo.auth.login_throttle import LoginThrottle, TooManyAttemptsError
from todo.database.dialects import INSERT
from todo.database.transactions import read, write
from todo.models import accounts
from todo.problems import Problem
from todo.values.clock import now
from todo.values.text_keys import email_key

_COLUMNS: Final = (
    accounts.c.user_id,
    accounts.c.email,
    accounts.c.name,
    accounts.c.email_key,
    accounts.c.password_hash,
    accounts.c.generation,
)
_BY_EMAIL: Final = select(*_COLUMNS).where(accounts.c.email_key == bindparam("key"))
_BY_USER: Final = select(*_COLUMNS).where(accounts.c.user_id == bindparam("user"))
_ADD: Final = {
    dialect: insert(accounts).on_conflict_do_nothing() for dialect, insert in INSERT.items()
}
# The statement replaces only the password that was verified, not one that was set meanwhile. A new
# hash of the same password keeps the generation (``step`` is 0).
_SET_PASSWORD: Final = (
    update(accounts)
    .where(accounts.c.user_id == bindparam("user"), accounts.c.generation == bindparam("verified"))
    .values(
        password_hash=bindparam("new"),
        generation=accounts.c.generation + bindparam("step"),
        updated_at=bindparam("moment"),
    )
)

# In a restored backup an old generation would make revoked tokens valid again, and the next one
# repeat. Seconds since 2020 are beyond what any account reached: it changes no password a second.
_REVOKE: Final = update(accounts).values(
    generation=case(
        (accounts.c.generation >= bindparam("seconds"), accounts.c.generation + 1),
        else_=bindparam("seconds"),
    )
)
_YEAR_2020: Final = 1_577_836_800

T = TypeVar("T")


Row = Mapping[str, Any]
"""A row of the table of accounts, by its columns."""


@dataclass(frozen=True)
class Account:
    """An account without its password; ``generation`` counts the passwords it has had."""

    user_id: str
    email: str
    name: str | None
    generation: int

    @classmethod
    def of(cls, row: Row) -> Self:
        """Read a ``row`` of accounts."""
        return cls(row["user_id"], row["email"], row["name"], row["generation"])


def register(
    email: str, password: str, name: str | None, *, throttle: LoginThrottle, address: str
) -> Account:
    """Add an account. Its ``email`` is compared without case, and kept as it was sent.

    Raises :class:`Problem`: ``email_taken``, ``too_many_attempts``, ``busy``.
    """
    _count_attempt(throttle, address=address)
    moment, user_id = now(), new_subject()
    row = {
        "email_key": email_key(email),
        "user_id": user_id,
        "email": email,
        "name": name,
        "password_hash": _in_turn(passwords.digest, password),
        "generation": 1,
        "created_at": moment,
        "updated_at": moment,
    }

    def unit(tx: Connection) -> Account:
        if tx.execute(_ADD[tx.dialect.name], row).rowcount == 0:
            raise Problem("email_taken", "An account with this e-mail already exists; log in.")
        return Account(user_id, email, name, 1)

    return write(unit)


def log_in(email: str, password: str, *, throttle: LoginThrottle, address: str) -> Account:
    """Return the account of ``email`` if ``password`` is right.

    An e-mail that nobody registered and a wrong password have the same response, after the same
    time. Raises :class:`Problem`: ``invalid_credentials``, ``too_many_attempts``, ``busy``.
    """
    key = email_key(email)
    _count_attempt(throttle, address=address, account=key)
    row = _find(_BY_EMAIL, {"key": key})
    known = row["password_hash"] if row else None
    if not _in_turn(passwords.matches, password, known) or row is None:
        raise Problem("invalid_credentials", "The e-mail or the password is wrong.")
    throttle.reset(key)
    if _in_turn(passwords.is_outdated, row["password_hash"], password):
        _set_password(row, _in_turn(passwords.digest, password), step=0)
    return Account.of(row)


def account_at(user_id: str, generation: int) -> Account:
    """Return the account of the user ``user_id``, with the ``generation`` of the present token.

    A new token gets that generation, not the account's: a password that changes meanwhile revokes
    the new token, too. Raises :class:`Problem` ``not_a_local_account``.
    """
    return replace(Account.of(_account_row(user_id)), generation=generation)


def change_password(user_id: str, password: str, new: str, *, throttle: LoginThrottle) -> None:
    """Replace ``password`` by ``new``, which revokes every token that was issued before.

    Raises :class:`Problem`: ``wrong_password``, ``not_a_local_account``, ``too_many_attempts``,
    ``busy``.
    """
    row = _account_row(user_id)
    _count_attempt(throttle, account=row["email_key"])
    right = _in_turn(passwords.matches, password, row["password_hash"])
    if not right or not _set_password(row, _in_turn(passwords.digest, new), step=1):
        raise Problem("wrong_password", "The current password is wrong.")
    throttle.reset(row["email_key"])


def is_current(user_id: str, generation: Any) -> bool:
    """Return whether the present password of the user ``user_id`` has this ``generation``."""
    row = _find(_BY_USER, {"user": user_id})
    return row is not None and bool(row["generation"] == generation)


def revoke_tokens(connection: Connection) -> int:
    """Revoke every token of every account, those too that a lost database issued; return how many
    accounts there are.
    """
    return connection.execute(_REVOKE, {"seconds": int(time.time()) - _YEAR_2020}).rowcount


def _account_row(user_id: str) -> Row:
    row = _find(_BY_USER, {"user": user_id})
    if row is None:
        raise Problem(
            "not_a_local_account", "The token does not belong to an account of this server."
        )
    return row


def _find(statement: Any, parameters: dict[str, str]) -> Row | None:
    return next((row._asdict() for row in read(statement, parameters)), None)


def _set_password(row: Row, new: str, *, step: int) -> bool:
    values = {
        "user": row["user_id"],
        "verified": row["generation"],
        "new": new,
        "step": step,
        "moment": now(),
    }
    return write(lambda tx: bool(tx.execute(_SET_PASSWORD, values).rowcount))


def _count_attempt(throttle: LoginThrottle, **keys: str) -> None:
    try:
        throttle.count(**keys)
    except TooManyAttemptsError as error:
        raise Problem(
            "too_many_attempts",
            f"Too many attempts; try again in {error.seconds} s.",
            headers={"Retry-After": str(error.seconds)},
        ) from None


def _in_turn(function: Callable[..., T], *arguments: Any) -> T:
    try:
        return function(*arguments)
    except passwords.OverloadedError:
        raise Problem("busy", "The server is checking too many passwords at once.") from None


def check_revocation(claims: Mapping[str, Any]) -> None:
    """Check with the database that a local token is of the account's present password.

    Other tokens pass without a look at the database. Raises :class:`Problem` ``token_revoked``.
    """
    if claims.get("iss") != local_tokens.ISSUER:
        return
    if not is_current(claims["sub"], claims.get(local_tokens.GENERATION)):
        raise Problem(
            "token_revoked", "The account's password was changed after this token was issued."
        )
