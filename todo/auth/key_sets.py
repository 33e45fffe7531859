"""A JWKS document (RFC 7517): what is read of it, and which of its keys may verify tokens.

Only public members of public keys are read. What is private or symmetric is left out at once, so
that nobody who keeps a key set keeps a secret.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

MAX_BYTES: Final = 1_048_576
"""Bytes of a JWKS document."""
MAX_KEYS: Final = 1_000
"""Keys that are read of a document: the newest. Better Auth writes the oldest first."""
MIN_RSA_BITS: Final = 2048
"""RFC 7518, section 3.3."""

_PUBLIC: Final = ("kid", "kty", "alg", "use", "key_ops", "crv", "x", "y", "n", "e")
"""The members that say what a public key is and is for (RFC 7517, section 4; RFC 7518, 6)."""
_SECRET: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""The members of private and symmetric keys (RFC 7518, section 6)."""

Documents = Mapping[str, Mapping[str, Any]]
"""JWKs by their ``kid``, the oldest first."""


class UnusableKeySetError(Exception):
    """The issuer sent no key set that could verify tokens; the text says why."""


class OversizedKeySetError(UnusableKeySetError):
    """The document has more than :data:`MAX_BYTES`."""

    def __init__(self) -> None:
        super().__init__(f"the response exceeds {MAX_BYTES} bytes")


def documents_in(body: bytes) -> Documents:
    """Return the public keys of the JWKS document ``body``: the newest :data:`MAX_KEYS`.

    Each has its public members alone. Raises :class:`UnusableKeySetError` for anything else than a
    JWKS document of at most :data:`MAX_BYTES`.
    """
    if len(body) > MAX_BYTES:
        raise OversizedKeySetError
    try:
        documents = json.loads(body)["keys"]
        return newest(document for document in documents if _is_public(document))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UnusableKeySetError("the response is not a JWKS document") from None


def newest(documents: Any) -> Documents:
    """Return the last :data:`MAX_KEYS` of the ``documents`` by ``kid``, with public members."""
    found: dict[str, Mapping[str, Any]] = {}
    for document in documents:
        if isinstance(kid := document.get("kid"), str):
            found.pop(kid, None)  # the later one takes the later place, too
            found[kid] = {name: document[name] for name in _PUBLIC if name in document}
    return dict(list(found.items())[-MAX_KEYS:])


def _is_public(document: Mapping[str, Any]) -> bool:
    return document.get("kty") != "oct" and _SECRET.isdisjoint(document)


def usable_keys(documents: Documents, algorithms: frozenset[str]) -> dict[str, jwt.PyJWK]:
    """Return the keys among ``documents`` that may verify ``algorithms``, by ``kid``.

    Left out are symmetric and private keys, those for another use, small ones, and whatever does
    not parse. Raises :class:`UnusableKeySetError` when none is left.
    """
    usable = {}
    for kid, document in documents.items():
        if (key := _usable(document)) is not None and key.algorithm_name in algorithms:
            usable[kid] = key
    if not usable:
        raise UnusableKeySetError(
            f"the response has no usable key for {', '.join(sorted(algorithms))}"
        )
    return usable


def _usable(document: Mapping[str, Any]) -> jwt.PyJWK | None:
    operations = document.get("key_ops", ["verify"])
    if (
        not _is_public(document)
        or document.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
    ):
        return None
    try:
        key = jwt.PyJWK(dict(document))
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError):
        return None
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < MIN_RSA_BITS:
        return None
    return key
