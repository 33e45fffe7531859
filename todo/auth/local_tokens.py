"""Local tokens: those of this server's own accounts, under a key that is never Better Auth's."""

import secrets
import time
from typing import Final

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ISSUER: Final = "urn:todo-api:local"
AUDIENCE: Final = "urn:todo-api"
SUBJECT_PREFIX: Final = "local_"
"""The beginning of the ``sub`` of every local token, and of no other token."""
GENERATION: Final = "pwd"
"""The claim with the number of the account's password: a token of an earlier one is revoked."""
LIFETIME: Final = 3600
"""Seconds that a local token is valid for."""

_PURPOSE: Final = b"todo-api local accounts, HS256, version 1"


def derived_key(secret: str) -> bytes:
    """Return the 32-byte HS256 key of local tokens, derived from ``secret`` (HKDF, RFC 5869)."""
    return HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())


def new_subject() -> str:
    """Return the ``sub`` of a new account: the prefix and 128 random bits in hex."""
    return SUBJECT_PREFIX + secrets.token_hex(16)


def issue(
    secret: str, subject: str, *, email: str, name: str | None, generation: int
) -> tuple[str, int]:
    """Return a token for the account ``subject`` and the seconds that it is valid for.

    ``generation`` is the number of the account's password, 1 for the first.
    """
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": secrets.token_hex(16),
        "email": email,
        GENERATION: generation,
    }
    if name is not None:
        claims["name"] = name
    return jwt.encode(claims, derived_key(secret), algorithm="HS256"), LIFETIME
