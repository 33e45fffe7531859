"""The caller (tag ``caller``)."""

from typing import Any, Final

from flask import g

from todo.auth.user import User, text_claim
from todo.values.clock import instant

MAX_ISSUER: Final = 2048
"""Characters of an issuer that is shown."""


def show_caller(user: User) -> dict[str, Any]:
    """Respond with the user whom the verified token names."""
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "issuer": text_claim(g.claims.get("iss"), MAX_ISSUER),
        "expires_at": instant(g.claims["exp"]),
    }
