"""Connexion's security handler: from the ``Authorization`` header to the caller (RFC 6750).

It runs on the event loop, after routing and before validation, and does no I/O. The 403 for a
foreign path is decided here too, before any database work.
"""

from typing import Any, Final

from connexion.lifecycle import ConnexionRequest
from connexion.security import AbstractSecurityHandler

from todo.identity import ME
from todo.identity.memory import RememberingVerifier
from todo.identity.tokens import Claims, TokenRefused
from todo.problems import Problem

REALM: Final = "todo"


class BearerSecurity(AbstractSecurityHandler):  # type: ignore[misc]  # Connexion is untyped
    """Handles the contract's ``bearer`` scheme for every operation that is secured with it."""

    def __init__(self, verifier: RememberingVerifier) -> None:
        self._verifier = verifier

    def get_fn(self, security_scheme: dict[str, Any], required_scopes: list[str]) -> Any:
        """Return the check that Connexion calls with each request (its own hook)."""
        del security_scheme, required_scopes
        return self.authenticate

    def authenticate(self, request: ConnexionRequest) -> Claims:
        """Return the verified claims of the caller, whose ``sub`` becomes the handler's ``user``.

        Raises :class:`Problem`: 401 with ``WWW-Authenticate`` for a missing or refused token,
        403 ``user_path_mismatch`` when the path names anybody else.
        """
        try:
            claims = self._verifier.verify(_bearer_token(request.scope["headers"]))
        except TokenRefused as refused:
            raise _unauthorized(refused) from None
        owner = request.scope["path_params"].get("user_id", ME)
        if owner not in (claims["sub"], ME):
            raise Problem("user_path_mismatch", "The token's 'sub' is not the user in the path.")
        return claims


def _bearer_token(headers: list[tuple[bytes, bytes]]) -> str:
    values = [value for name, value in headers if name == b"authorization"]
    if not values:
        raise TokenRefused("token_missing", "The request has no Authorization header.")
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    if scheme.lower() != "bearer":
        raise TokenRefused("token_missing", "The Authorization header is not of scheme Bearer.")
    if len(values) > 1:
        raise TokenRefused("token_malformed", "The request has two Authorization headers.")
    return token.strip()


def _unauthorized(refused: TokenRefused) -> Problem:
    challenge = f'Bearer realm="{REALM}"'
    if refused.code != "token_missing":  # RFC 6750, section 3.1: no error for no credentials
        challenge += f', error="invalid_token", error_description="{refused.detail}"'
    return Problem(refused.code, refused.detail, headers={"WWW-Authenticate": challenge})
