"""Tokens by hand, also those that no library would sign."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

from tests.conftest import SECRET

HS256 = {"alg": "HS256", "typ": "JWT"}


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims, valid for an hour; a change of ``...`` leaves the claim out."""
    good = {"sub": "alice", "exp": int(time.time()) + 3600}
    return {name: value for name, value in {**good, **changes}.items() if value is not ...}


def sign(
    payload: Any,
    *,
    header: dict[str, Any] = HS256,
    secret: str = SECRET,
    digest: str = "sha256",
) -> str:
    """A token with an HMAC of ``digest``, whatever its header claims."""
    signed = f"{_encoded(header)}.{_encoded(payload)}"
    mac = hmac.digest(secret.encode(), signed.encode(), getattr(hashlib, digest))
    return f"{signed}.{base64url(mac)}"


def unsigned(payload: Any, *, header: dict[str, Any]) -> str:
    """A token with an empty signature."""
    return f"{_encoded(header)}.{_encoded(payload)}."


def bearer(token: str) -> dict[str, str]:
    """The headers of a request with ``token``."""
    return {"Authorization": f"Bearer {token}"}


def _encoded(value: Any) -> str:
    return base64url(json.dumps(value).encode())


def base64url(raw: bytes) -> str:
    """``raw`` without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
