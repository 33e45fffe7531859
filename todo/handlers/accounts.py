"""Local accounts (tag ``accounts``); they exist where ``LOCAL_ACCOUNTS`` is on."""

from typing import Any

from todo.accounts import service
from todo.accounts.service import Account
from todo.auth import local_tokens
from todo.auth.user import User
from todo.context import context
from todo.http.request import current

Json = dict[str, Any]


def register_account(body: Json) -> tuple[Json, int]:
    """Add an account; respond with a token for it."""
    account = service.register(
        body["email"],
        body["password"],
        body.get("name"),
        address=_address(),
        tries=context().password_tries,
    )
    return _session(account), 201


def log_in(body: Json) -> Json:
    """Respond with a token for an account."""
    tries = context().password_tries
    return _session(
        service.log_in(body["email"], body["password"], address=_address(), tries=tries)
    )


def renew_token(user: User) -> Json:
    """Respond with a new token for the account of a token that is still valid."""
    return _session(service.account_at(user.id, _generation()))


def change_password(user: User, body: Json) -> None:
    """Change the password, which revokes the tokens of the one before."""
    tries = context().password_tries
    service.change_password(user.id, body["password"], body["new_password"], tries=tries)


def _session(account: Account) -> Json:
    """Return the session; front ends read either ``token`` or ``access_token``."""
    token, seconds = _token(account)
    return {
        "user": {"id": account.user_id, "email": account.email, "name": account.name},
        "token": token,
        "access_token": token,
        "token_type": "bearer",
        "expires_in": seconds,
    }


def _token(account: Account) -> tuple[str, int]:
    secret = context().local_secret
    assert secret is not None  # noqa: S101 - no settings have local accounts without a secret
    user_id, generation = account.user_id, account.generation
    return local_tokens.issue(
        secret, user_id, email=account.email, name=account.name, generation=generation
    )


def _address() -> str:
    return current().remote_addr or "unknown"


def _generation() -> Any:
    """The generation of the password that the verified token was given for."""
    return (current().claims or {}).get(local_tokens.GENERATION)
