"""The caller (tag ``caller``)."""

from typing import Any, Final

from todo.auth.user import User, text_claim
from todo.http.request import current
from todo.values.clock import instant

MAX_ISSUER: Final = 2048
"""Characters of an issuer that is shown."""


def show_caller(user: User) -> dict[str, Any]:
    """Respond with the user whom the verified token names."""
    claims = current().claims or {}
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "issuer": text_claim(claims.get("iss"), MAX_ISSUER),
        "expires_at": instant(claims["exp"]),
    }
