"""Verification of access tokens (RFC 7519, RFC 8725): a token's family, and its claims.

A family is a set of algorithms bound to one source of keys, with an issuer and an audience of its
own. The settings make the families before any token comes; a token only chooses among them.
"""

import json
import re
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import jwt
from jwt.exceptions import InvalidSubjectError

from todo.auth import local_tokens
from todo.auth.invalid_token import NOT_A_JWT, InvalidTokenError, mismatch, why_no_jwt
from todo.auth.times import check_times
from todo.auth.user import is_text

HS256: Final = "HS256"
MAX_TOKEN: Final = 8192
"""Characters of a token; Better Auth's are below 1,000."""
MAX_SUBJECT: Final = 255
"""Characters of a ``sub`` (OpenID Connect Core, section 2)."""
TYPES: Final = frozenset({"jwt", "at+jwt"})
"""What ``typ`` may be where there is one, in lower case (RFC 8725, section 3.11)."""

Claims = Mapping[str, Any]
Key = bytes | jwt.PyJWK


class KeysUnavailableError(Exception):
    """No verdict: the keys are unavailable. Nothing is wrong with the token."""


class KeySource(Protocol):
    """The source of a family's keys."""

    @property
    def version(self) -> int:
        """Grows whenever a key is withdrawn or replaced: earlier verdicts are void then."""

    async def keys(self, kid: str | None) -> Sequence[Key]:
        """Return the keys that a token naming ``kid`` may be signed with, at least one.

        Raises :class:`InvalidTokenError` ``kid_unknown`` and :class:`KeysUnavailableError`.
        """


class SharedSecret:
    """Secrets that are shared with the issuer: the current one and, for a while, the last one."""

    version: Final = 0

    def __init__(self, *keys: bytes) -> None:
        self._keys = keys

    async def keys(self, kid: str | None) -> Sequence[Key]:
        """Return every secret; a ``kid`` says nothing here."""
        return self._keys


@dataclass(frozen=True)
class Family:
    """Tokens of one source of keys. ``None`` leaves ``iss`` or ``aud`` unchecked."""

    algorithms: tuple[str, ...]
    source: KeySource
    issuer: str | None = None
    audience: str | None = None


def local_family(secret: str) -> Family:
    """Return the family of this server's own accounts (see :mod:`todo.auth.local_tokens`)."""
    source = SharedSecret(local_tokens.derived_key(secret))
    return Family((HS256,), source, local_tokens.ISSUER, local_tokens.AUDIENCE)


# An unsecured JWT has an empty signature (RFC 7519, section 6): its `alg` is what is wrong with it.
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", re.ASCII)
_CAUSES: Final[tuple[tuple[type[jwt.PyJWTError], str, str], ...]] = (
    # The order matters: the first class that fits names the error.
    (InvalidSubjectError, "claim_missing", "The token's 'sub' is not a string."),
    (jwt.InvalidSignatureError, "signature_invalid", "The signature does not match the token."),
    (
        jwt.InvalidAlgorithmError,
        "alg_not_allowed",
        "The token's algorithm is not the algorithm of its key.",
    ),
    (jwt.PyJWTError, "token_malformed", NOT_A_JWT),
)
_MISSING: Final = {"iss": "issuer_mismatch", "aud": "audience_mismatch"}


class Verifier:
    """Verifies tokens of several families. It never blocks: only a source of keys may wait."""

    def __init__(
        self, families: Sequence[Family], *, local: Family | None = None, leeway: int
    ) -> None:
        """Take families, no algorithm in two of them, and the family of ``local`` accounts.

        ``local`` is ``None`` where there are none. ``leeway`` is in seconds, for ``exp``, ``nbf``
        and ``iat``.
        """
        self._families = {name: family for family in families for name in family.algorithms}
        self._sources = tuple(family.source for family in families)
        self._local = local
        self._leeway = leeway

    @property
    def version(self) -> int:
        """Grows whenever a verdict given before may be void."""
        return sum(source.version for source in self._sources)

    async def verify(self, token: str) -> Claims:
        """Return the claims of a valid ``token``; its ``sub`` is the user.

        Raises :class:`InvalidTokenError`: too long or not a JWT, another algorithm, a key,
        signature, time, issuer or audience that does not fit, ``exp`` or ``sub`` missing or not
        usable; and :class:`KeysUnavailableError`.
        """
        header, payload = _parse(token)
        family = self._family(header, payload)
        claims = await self._decode(token, header, payload, family)
        check_times(claims, leeway=self._leeway)
        check_subject(claims["sub"])
        if claims["sub"].startswith(local_tokens.SUBJECT_PREFIX) != (family is self._local):
            raise InvalidTokenError(
                "claim_missing",
                f"Only ids of this server's accounts begin with '{local_tokens.SUBJECT_PREFIX}'.",
            )
        return claims

    def _family(self, header: Mapping[str, Any], payload: Any) -> Family:
        """Choose by what is not verified yet; the family's keys then verify it."""
        algorithm = header.get("alg")
        if isinstance(payload, dict) and payload.get("iss") == local_tokens.ISSUER:
            if self._local is None:
                raise InvalidTokenError("issuer_mismatch", "Local accounts are off on this server.")
            families = dict.fromkeys(self._local.algorithms, self._local)
        else:
            families = self._families
        if not isinstance(algorithm, str) or algorithm not in families:
            accepted = ", ".join(families) or "no algorithm"
            raise InvalidTokenError("alg_not_allowed", f"Only {accepted} is accepted.")
        return families[algorithm]

    async def _decode(
        self, token: str, header: Mapping[str, Any], payload: Any, family: Family
    ) -> Claims:
        for key in await family.source.keys(header.get("kid")):
            try:
                return _decode_with(key, token, header["alg"], family)
            except jwt.InvalidSignatureError:
                continue
            # The signature fits: PyJWT looks at claims after it.
            except jwt.MissingRequiredClaimError as error:
                raise _invalid_token(error) from None
            except jwt.InvalidIssuerError:
                detail = mismatch("iss", payload.get("iss"), family.issuer or "")
                raise InvalidTokenError("issuer_mismatch", detail) from None
            except jwt.InvalidAudienceError:
                detail = mismatch("aud", payload.get("aud"), family.audience or "")
                raise InvalidTokenError("audience_mismatch", detail) from None
            except jwt.PyJWTError as error:
                raise _invalid_token(error) from None
        raise _invalid_token(jwt.InvalidSignatureError())


def _decode_with(key: Key, token: str, algorithm: str, family: Family) -> Claims:
    claims: Claims = jwt.decode(
        token,
        key,
        algorithms=[algorithm],
        issuer=family.issuer,
        audience=family.audience,
        options={
            "require": ["exp", "sub"],
            "verify_aud": family.audience is not None,
            "verify_iss": family.issuer is not None,
            "verify_exp": False,  # check_times looks at the times
            "verify_nbf": False,
            "verify_iat": False,
            "verify_jti": False,  # nothing here depends on it
        },
    )
    return claims


def mint(
    secret: str,
    subject: str,
    *,
    hours: float,
    issuer: str | None = None,
    audience: str | None = None,
) -> str:
    """Return an HS256 token for ``subject`` that is valid for ``hours`` (finite) from now.

    For development and support. Raises :class:`InvalidTokenError` when no server would accept it:
    ``claim_missing`` for the subject, the codes of :func:`check_times` for the hours.
    """
    check_subject(subject)
    if subject.startswith(local_tokens.SUBJECT_PREFIX):
        raise InvalidTokenError(
            "claim_missing",
            f"Only ids of local accounts begin with '{local_tokens.SUBJECT_PREFIX}'; log in.",
        )
    now = int(time.time())
    claims = {
        "sub": subject,
        "iat": now,
        "exp": now + int(hours * 3600),
        "jti": secrets.token_hex(16),
    }
    check_times(claims, leeway=0)
    expected = {"iss": issuer, "aud": audience}
    claims |= {name: value for name, value in expected.items() if value is not None}
    return jwt.encode(claims, secret.encode(), algorithm=HS256)


def _parse(token: str) -> tuple[Mapping[str, Any], Any]:
    """Return header and payload of a JWT in compact form, nothing of them verified.

    Strict where PyJWT is not: no padding, no other alphabet, no stray bits (RFC 7515, section 2);
    no extension that must be understood (section 4.1.11); no other type of token.
    """
    if len(token) > MAX_TOKEN:
        raise InvalidTokenError(
            "token_malformed", f"The token is longer than {MAX_TOKEN} characters."
        )
    if not _COMPACT.fullmatch(token):
        raise InvalidTokenError("token_malformed", why_no_jwt(token))
    try:
        header, payload, _ = map(_base64url, token.split("."))
        header, payload = json.loads(header), json.loads(payload)
    except (ValueError, RecursionError):  # of base64, of UTF-8 and of JSON
        raise InvalidTokenError("token_malformed", NOT_A_JWT) from None
    if not isinstance(header, dict) or "crit" in header or "b64" in header:
        raise InvalidTokenError("token_malformed", NOT_A_JWT)
    if not isinstance(header.get("kid", ""), str):
        raise InvalidTokenError("token_malformed", NOT_A_JWT)
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise InvalidTokenError(
            "token_malformed", "The token's 'typ' does not name an access token."
        )
    return header, payload


def _base64url(segment: str) -> bytes:
    raw = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != segment:
        raise ValueError
    return raw


def _invalid_token(error: jwt.PyJWTError) -> InvalidTokenError:
    if isinstance(error, jwt.MissingRequiredClaimError):
        code = _MISSING.get(error.claim, "claim_missing")
        return InvalidTokenError(code, f"The token has no '{error.claim}'.")
    return next(
        InvalidTokenError(code, detail) for kind, code, detail in _CAUSES if isinstance(error, kind)
    )


def check_subject(subject: str) -> None:
    """Check a ``sub``, which is opaque: it has 1 to :data:`MAX_SUBJECT` characters, no controls.

    Raises :class:`InvalidTokenError` ``claim_missing``.
    """
    if not is_text(subject, MAX_SUBJECT):
        raise InvalidTokenError(
            "claim_missing",
            f"The token's 'sub' is not 1 to {MAX_SUBJECT} characters without control characters.",
        )
