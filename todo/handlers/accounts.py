"""Accounts of this server's own (tag ``accounts``); not there when they are off."""

from typing import Any

from flask import current_app, g, request

from todo.accounts import service
from todo.accounts.service import Account
from todo.auth import local_tokens
from todo.auth.user import User

Json = dict[str, Any]


def register_account(body: Json) -> tuple[Json, int]:
    """A new account, and a token for it."""
    account = service.register(
        body["email"], body["password"], body.get("name"), address=_address(), attempts=_attempts()
    )
    return _session(account), 201


def log_in(body: Json) -> Json:
    """A token for an account."""
    return _session(
        service.log_in(body["email"], body["password"], address=_address(), attempts=_attempts())
    )


def renew_token(user: User) -> Json:
    """A new token for the account of a valid one."""
    return _session(service.renewed(user.id, g.claims.get(local_tokens.GENERATION)))


def change_password(user: User, body: Json) -> None:
    """Another password; it ends the tokens of the one before."""
    service.change_password(user.id, body["password"], body["new_password"], attempts=_attempts())


def _session(account: Account) -> Json:
    """Two generations of front ends read one of ``token`` and ``access_token``."""
    token, seconds = local_tokens.issue(
        current_app.config["LOCAL_SECRET"],
        account.user_id,
        email=account.email,
        name=account.name,
        generation=account.generation,
    )
    return {
        "user": {"id": account.user_id, "email": account.email, "name": account.name},
        "token": token,
        "access_token": token,
        "token_type": "bearer",
        "expires_in": seconds,
    }


def _address() -> str:
    return request.remote_addr or "unknown"


def _attempts() -> Any:
    return current_app.config["ATTEMPTS"]
