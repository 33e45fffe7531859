"""Connexion's security handler: from the ``Authorization`` header to the caller (RFC 6750).

It runs on the event loop, after routing and before validation. It waits for nothing but a key that
is not known yet. It also decides whether the path names the caller (403), before any database work.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from connexion.lifecycle import ConnexionRequest
from connexion.security import AbstractSecurityHandler

from todo.auth import ME
from todo.auth.invalid_token import InvalidTokenError, why_not_bearer
from todo.auth.jwks import Jwks
from todo.auth.key_store import KeyStore
from todo.auth.token_cache import CachingVerifier
from todo.auth.tokens import (
    HS256,
    Claims,
    Family,
    KeysUnavailableError,
    SharedSecret,
    Verifier,
    local_family,
)
from todo.http.exchange import exchange_of
from todo.problems import Problem
from todo.settings.settings import Settings


def key_set(settings: Settings, store: Callable[[str], KeyStore] | None = None) -> Jwks | None:
    """Return the issuer's key set, ``None`` where the settings name none.

    ``store`` makes what shares the keys at a URL with other processes; without one nothing does.
    """
    if settings.jwks_url is None:
        return None
    return Jwks(
        settings.jwks_url,
        settings.auth_jwks_algorithms,
        fresh=settings.auth_jwks_fresh_seconds,
        store=store and store(settings.jwks_url),
    )


def verifier(settings: Settings, keys: Jwks | None) -> Verifier:
    """Return the verifier of the families that ``settings`` name; each has its own keys."""
    families = [_secret_family(settings), _public_key_family(settings, keys)]
    local = None
    if settings.local_accounts and settings.better_auth_secret is not None:
        local = local_family(settings.better_auth_secret)
    return Verifier(
        [family for family in families if family is not None],
        local=local,
        leeway=settings.auth_jwt_leeway_seconds,
    )


def _secret_family(settings: Settings) -> Family | None:
    if settings.better_auth_secret is None:
        return None
    secrets = (settings.better_auth_secret, settings.better_auth_secret_previous)
    source = SharedSecret(*(secret.encode() for secret in secrets if secret is not None))
    return Family((HS256,), source, settings.auth_jwt_issuer, settings.auth_jwt_audience)


def _public_key_family(settings: Settings, keys: Jwks | None) -> Family | None:
    if keys is None:
        return None
    issuer, audience = settings.jwks_issuer, settings.jwks_audience
    return Family(settings.auth_jwks_algorithms, keys, issuer, audience)


class BearerSecurity(AbstractSecurityHandler):  # type: ignore[misc]  # Connexion is untyped
    """Handles the contract's ``bearer`` scheme for every operation that is secured with it."""

    def __init__(
        self, verifier: CachingVerifier, *, verified: Callable[[Any, str], Awaitable[None]]
    ) -> None:
        """``verified`` is told each request's scope and user, and may raise a problem."""
        self._verifier = verifier
        self._verified = verified

    def get_fn(self, security_scheme: dict[str, Any], required_scopes: list[str]) -> Any:
        """Return the check that Connexion calls with each request (its own hook)."""
        del security_scheme, required_scopes
        return self.authenticate

    async def authenticate(self, request: ConnexionRequest) -> Claims:
        """Return the verified claims of the caller, whose ``sub`` becomes the handler's ``user``.

        Raises :class:`Problem`: 401 with ``WWW-Authenticate`` for a missing or invalid token,
        503 ``keys_unavailable`` while its key is unavailable, 403 ``user_path_mismatch`` when the
        path names anybody else, and what ``verified`` raises.
        """
        try:
            claims = await self._verifier.verify(_bearer_token(request.scope["headers"]))
        except InvalidTokenError as error:
            raise Problem(error.code, error.detail) from None
        except KeysUnavailableError:
            raise Problem(
                "keys_unavailable", "The keys that verify this token are unavailable right now."
            ) from None
        exchange_of(request.scope).user = claims["sub"]
        await self._verified(request.scope, claims["sub"])
        user_id = request.scope["path_params"].get("user_id", ME)
        if user_id not in (claims["sub"], ME):
            raise Problem(
                "user_path_mismatch",
                "The user in the path must be the token's 'sub', or 'me'.",
            )
        return claims


def _bearer_token(headers: list[tuple[bytes, bytes]]) -> str:
    values = [value for name, value in headers if name == b"authorization"]
    if not values:
        raise InvalidTokenError("token_missing", "The request has no Authorization header.")
    scheme, _, token = values[0].decode("latin-1").strip(" \t").partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidTokenError("token_missing", why_not_bearer(scheme, token))
    if len(values) > 1:
        raise InvalidTokenError("token_malformed", "The request has two Authorization headers.")
    if not token.strip():
        raise InvalidTokenError("token_malformed", "The token after the word Bearer is empty.")
    return token.strip()
