"""Verification and minting of the HS256 tokens that share Better Auth's secret (RFC 7519)."""

import re
import time
from collections.abc import Mapping
from typing import Any, Final

import jwt
from jwt.exceptions import InvalidSubjectError

ALGORITHM: Final = "HS256"
MAX_TOKEN: Final = 8192
"""Characters of a token; Better Auth's are below 1,000."""
MAX_SUBJECT: Final = 255
"""Characters of a ``sub`` (OpenID Connect Core, section 2)."""

Claims = Mapping[str, Any]


class TokenRefused(Exception):  # noqa: N818 - it is a verdict
    """A token that does not identify anybody.

    ``code`` is a problem code, ``detail`` one sentence that tells a front-end developer what is
    wrong and an attacker nothing that the token did not say.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


# An unsecured JWT has an empty signature (RFC 7519, section 6): its `alg` is what is wrong with it.
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", re.ASCII)
_NOT_A_JWT: Final = "This is not a JWT (an opaque session token, perhaps?)."
_REFUSALS: Final[tuple[tuple[type[jwt.PyJWTError], str, str], ...]] = (
    # The order matters: the first class that fits names the refusal.
    (jwt.ExpiredSignatureError, "token_expired", "The token's 'exp' has passed."),
    (
        jwt.ImmatureSignatureError,
        "token_not_yet_valid",
        "The token's 'nbf' or 'iat' lies in the future.",
    ),
    (jwt.InvalidIssuerError, "issuer_mismatch", "The token's 'iss' is not the expected one."),
    (jwt.InvalidAudienceError, "audience_mismatch", "The token's 'aud' is not the expected one."),
    (InvalidSubjectError, "claim_missing", "The token's 'sub' is not a string."),
    (jwt.InvalidSignatureError, "signature_invalid", "The signature does not fit the token."),
    (jwt.InvalidAlgorithmError, "alg_not_allowed", f"Only {ALGORITHM} is accepted."),
    (jwt.PyJWTError, "token_malformed", _NOT_A_JWT),
)

_MISSING: Final = {"iss": "issuer_mismatch", "aud": "audience_mismatch"}


class Verifier:
    """Verifies HS256 tokens under one secret. Pure computation: safe on an event loop."""

    def __init__(
        self, secret: str, *, issuer: str | None, audience: str | None, leeway: int
    ) -> None:
        """Take the key, and the expected ``iss`` and ``aud``; ``None`` leaves a claim unchecked.

        ``leeway`` is in seconds, for ``exp``, ``nbf`` and ``iat``.
        """
        self._key = secret.encode()
        self._issuer = issuer
        self._audience = audience
        self._leeway = leeway
        self._options: Any = {
            "require": ["exp", "sub"],
            "verify_aud": audience is not None,
            "verify_iss": issuer is not None,
        }

    def verify(self, token: str) -> Claims:
        """Return the claims of a valid ``token``; its ``sub`` is the user.

        Raises :class:`TokenRefused`: too long or not a JWT, another algorithm, a signature, time,
        issuer or audience that does not fit, ``exp`` or ``sub`` missing or not usable.
        """
        if len(token) > MAX_TOKEN:
            raise TokenRefused("token_malformed", f"The token is longer than {MAX_TOKEN}.")
        if not _COMPACT.fullmatch(token):  # PyJWT lets padding and other alphabets pass
            raise TokenRefused("token_malformed", _NOT_A_JWT)
        try:
            claims: Claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway,
                options=self._options,
            )
        except jwt.MissingRequiredClaimError as error:
            code = _MISSING.get(error.claim, "claim_missing")
            raise TokenRefused(code, f"The token has no '{error.claim}'.") from None
        except jwt.PyJWTError as error:
            raise _refusal(error) from None
        _check_subject(claims["sub"])
        return claims


def mint(
    secret: str,
    subject: str,
    *,
    hours: float,
    issuer: str | None = None,
    audience: str | None = None,
) -> str:
    """Return a token for ``subject`` that is valid for ``hours`` (finite) from now.

    For development and support. Raises :class:`TokenRefused` when no server would accept it.
    """
    _check_subject(subject)
    now = int(time.time())
    claims = {"sub": subject, "iat": now, "exp": now + int(hours * 3600)}
    expected = {"iss": issuer, "aud": audience}
    claims |= {name: value for name, value in expected.items() if value is not None}
    return jwt.encode(claims, secret.encode(), algorithm=ALGORITHM)


def _refusal(error: jwt.PyJWTError) -> TokenRefused:
    return next(
        TokenRefused(code, detail) for kind, code, detail in _REFUSALS if isinstance(error, kind)
    )


def _check_subject(subject: str) -> None:
    """The user id is opaque: only what no system can print or store is refused.

    ``str.isprintable`` leaves out NUL, control characters and lone surrogates.
    """
    if not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
        raise TokenRefused(
            "claim_missing", f"The token's 'sub' is not 1 to {MAX_SUBJECT} printable characters."
        )
