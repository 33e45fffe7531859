"""Checks of what verifies tokens: each says what it found, or raises :class:`CheckFailedError`."""

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import Final

import jwt

from todo.auth import local_tokens
from todo.auth.bearer import key_set, verifier
from todo.auth.invalid_token import InvalidTokenError
from todo.auth.jwks import Jwks
from todo.auth.key_fetch import FAILURES, reason
from todo.auth.key_sets import OversizedKeySetError, usable_keys
from todo.auth.tokens import HS256, Claims, KeysUnavailableError
from todo.cli.check import CheckFailedError, check_clock
from todo.problem_types import PROBLEM_TYPES
from todo.settings.settings import Settings

MANY_KEYS: Final = 100
"""More than any rotation leaves."""
_CAUSE_OF_MANY: Final = (
    "Better Auth makes a key for every token, so new tokens wait for a fetch; set "
    "jwks.rotationInterval in its jwt plugin or update it, and delete old rows of its table 'jwks'"
)


def check_families(settings: Settings) -> str:
    """Return which families of tokens are accepted."""
    families = []
    if settings.better_auth_secret is not None:
        expected = _expected(settings.auth_jwt_issuer, settings.auth_jwt_audience)
        families.append(f"HS256 with BETTER_AUTH_SECRET{expected}")
    if settings.jwks_url is not None:
        expected = _expected(settings.jwks_issuer, settings.jwks_audience)
        families.append(f"{'/'.join(settings.auth_jwks_algorithms)} with public keys{expected}")
    if settings.local_accounts:
        families.append("local accounts")
    return "; ".join(families)


def check_keys(keys: Jwks, settings: Settings) -> str:
    """Return how many public keys the issuer has; check its clock, too."""
    try:
        documents, date = asyncio.run(keys.fetch())
        usable = usable_keys(documents, frozenset(settings.auth_jwks_algorithms))
    except OversizedKeySetError as failure:
        raise CheckFailedError(f"{keys.url}: {failure}; {_CAUSE_OF_MANY}") from None
    except FAILURES as failure:
        raise CheckFailedError(
            f"{keys.url}: {reason(failure)}; check BETTER_AUTH_URL, that Better Auth runs with "
            "its jwt plugin, or say where the keys are with AUTH_JWKS_URL"
        ) from None
    if date is not None:
        check_clock(_timestamp(date), "Better Auth's", settings)
    algorithms = sorted({key.algorithm_name for key in usable.values()})
    found = f"{len(usable)} at {keys.url} ({', '.join(algorithms)})"
    if len(documents) >= MANY_KEYS:
        raise CheckFailedError(f"{found}; {_CAUSE_OF_MANY}")
    return found


def check_token(token: str, settings: Settings) -> str:
    """Return whom ``token`` identifies, and how it was made."""
    try:
        claims = asyncio.run(verifier(settings, key_set(settings)).verify(token))
    except InvalidTokenError as error:
        raise CheckFailedError(
            f"{error.code}: {error.detail} {PROBLEM_TYPES[error.code].advice}"
        ) from None
    except KeysUnavailableError:
        raise CheckFailedError("keys_unavailable: see the line 'keys'") from None
    return f"accepted; the user is {claims['sub']!r}; {_way(token, claims)}"


def _expected(issuer: str | None, audience: str | None) -> str:
    claims = [f"{name}={value}" for name, value in (("iss", issuer), ("aud", audience)) if value]
    return f", {' '.join(claims)}" if claims else ""


def _way(token: str, claims: Claims) -> str:
    """Return which of the README's ways an accepted token was made in."""
    algorithm = jwt.get_unverified_header(token)["alg"]
    if claims.get("iss") == local_tokens.ISSUER:
        return f"{algorithm}: a local account of this server"
    if algorithm == HS256:
        return "HS256 with the shared secret: way 2 or 3 of docs/better-auth.md"
    return f"{algorithm} of Better Auth's jwt plugin: way 1 of docs/better-auth.md"


def _timestamp(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return time.time()
