"""Settings of authentication: whose tokens are accepted, and what verifies them."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from todo.settings.configuration_error import ConfigurationError
from todo.settings.readers import Boolean, Integer, Items, Text
from todo.settings.secret_strength import weakness
from todo.settings.variable import setting
from todo.values.origins import is_web_url, origin_of

JWKS_PATH = "/api/auth"
"""Where Better Auth serves itself unless its base URL has a path of its own."""
JWKS_ALGORITHMS = ("EdDSA", "ES256", "RS256", "PS256", "ES512")
"""What Better Auth can sign with; the first three are accepted unless the settings say else."""


@dataclass(frozen=True, kw_only=True)
class AuthenticationSettings:
    """Secrets, public keys, and what tokens must claim."""

    better_auth_url: str | None = setting(
        None,
        "The base URL of Better Auth. Its public keys are fetched from there and verify the tokens "
        "of its jwt plugin, so no secret is needed.",
        Text("a URL"),
        example="https://app.example.com",
    )
    better_auth_secret: str | None = setting(
        None,
        "The secret that Better Auth signs HS256 tokens with. It is required without "
        "`BETTER_AUTH_URL`, but for the embedded database. `openssl rand -base64 32` makes one.",
        Text("32 bytes or more"),
        unset="with the embedded database alone, one is made once and kept in `INSTANCE_PATH`",
        private=True,
    )
    better_auth_secret_previous: str | None = setting(
        None,
        "The secret before `BETTER_AUTH_SECRET`, while tokens signed with it are still in use.",
        Text("32 bytes or more"),
        private=True,
    )
    local_accounts: bool = setting(
        False,
        "`true` gives this server accounts of its own. They need a secret.",
        Boolean(),
        unset="`true` with the embedded database and no `BETTER_AUTH_URL`, otherwise `false`",
    )
    auth_jwks_url: str | None = setting(
        None,
        "Where the public keys are, if this server reaches Better Auth under another name.",
        Text("a URL"),
        unset="`BETTER_AUTH_URL` + `/api/auth/jwks`",
    )
    auth_jwks_issuer: str | None = setting(
        None,
        "The `iss` that tokens under public keys must have.",
        Text("the `issuer` of the jwt plugin"),
        unset="the origin of `BETTER_AUTH_URL`",
    )
    auth_jwks_audience: str | None = setting(
        None,
        "The `aud` that tokens under public keys must have.",
        Text("the `audience` of the jwt plugin"),
        unset="the origin of `BETTER_AUTH_URL`, otherwise the issuer",
    )
    auth_jwks_algorithms: tuple[str, ...] = setting(
        JWKS_ALGORITHMS[:3],
        "The algorithms that are accepted under public keys.",
        Items(", ".join(f"`{name}`" for name in JWKS_ALGORITHMS)),
    )
    auth_jwks_fresh_seconds: int = setting(
        300,
        "A public key that Better Auth has withdrawn is refused after so many seconds at the "
        "latest.",
        Integer(10, 86_400),
    )
    auth_jwt_issuer: str | None = setting(
        None, "The `iss` that HS256 tokens must have.", Text("text"), unset="not checked"
    )
    auth_jwt_audience: str | None = setting(
        None, "The `aud` that HS256 tokens must have.", Text("text"), unset="not checked"
    )
    auth_jwt_leeway_seconds: int = setting(
        10, "The seconds by which clocks may differ.", Integer(0, 300)
    )

    @property
    def jwks_url(self) -> str | None:
        """Where the issuer's public keys are; ``None`` if tokens are verified by secret alone."""
        if self.auth_jwks_url is not None or self.better_auth_url is None:
            return self.auth_jwks_url
        base = self.better_auth_url.rstrip("/")
        return f"{base}{'' if urlsplit(base).path else JWKS_PATH}/jwks"

    @property
    def jwks_issuer(self) -> str | None:
        """The ``iss`` of tokens under the public keys: by default Better Auth's origin."""
        return self.auth_jwks_issuer or origin_of(self.better_auth_url)

    @property
    def jwks_audience(self) -> str | None:
        """Their ``aud``: by default Better Auth's origin, else the issuer."""
        return self.auth_jwks_audience or origin_of(self.better_auth_url) or self.jwks_issuer

    def check_authentication(self) -> None:
        """Raise :class:`ConfigurationError` for what could never tell who is calling."""
        if self.better_auth_secret is None:
            self._check_without_secret()
        self._check_secret("BETTER_AUTH_SECRET", self.better_auth_secret)
        self._check_secret("BETTER_AUTH_SECRET_PREVIOUS", self.better_auth_secret_previous)
        self._check_url("BETTER_AUTH_URL", self.better_auth_url)
        self._check_url("AUTH_JWKS_URL", self.auth_jwks_url)
        self._check_issuer()
        self._check_algorithms()

    def _check_without_secret(self) -> None:
        if self.better_auth_secret_previous is not None:
            raise ConfigurationError(
                "BETTER_AUTH_SECRET_PREVIOUS: needs a BETTER_AUTH_SECRET beside it; "
                "set BETTER_AUTH_SECRET, or unset BETTER_AUTH_SECRET_PREVIOUS"
            )
        if self.local_accounts:
            raise ConfigurationError(
                "LOCAL_ACCOUNTS: needs a BETTER_AUTH_SECRET to sign with; "
                "make one with 'openssl rand -base64 32', or set LOCAL_ACCOUNTS=false"
            )
        if self.jwks_url is None:
            raise ConfigurationError(
                "BETTER_AUTH_SECRET: not set, and no BETTER_AUTH_URL; give the URL of Better Auth, "
                "or the secret that it signs with ('openssl rand -base64 32' makes one for both)"
            )

    @staticmethod
    def _check_secret(name: str, secret: str | None) -> None:
        if secret is not None and (wrong := weakness(secret)):
            raise ConfigurationError(
                f"{name}: {wrong}; "
                "make one with 'openssl rand -base64 32' and give it to Better Auth too"
            )

    @staticmethod
    def _check_url(name: str, url: str | None) -> None:
        if url is not None and not is_web_url(url):
            raise ConfigurationError(
                f"{name}: {_told(url)} is not a URL; "
                "write https://host[:port][/path], without user, query or fragment"
            )

    def _check_issuer(self) -> None:
        if self.jwks_url is not None and self.jwks_issuer is None:
            raise ConfigurationError(
                "AUTH_JWKS_ISSUER: not set; with AUTH_JWKS_URL alone, give the 'iss' of its tokens "
                "(or set BETTER_AUTH_URL)"
            )

    def _check_algorithms(self) -> None:
        for algorithm in self.auth_jwks_algorithms:
            if algorithm not in JWKS_ALGORITHMS:
                raise ConfigurationError(
                    f"AUTH_JWKS_ALGORITHMS: {algorithm[:40]!r} is not one of "
                    f"{', '.join(JWKS_ALGORITHMS)}"
                )


def _told(url: str) -> str:
    """Return ``url`` as errors show it: no part of one that may have a password in it."""
    return "the value" if "@" in url else repr(url[:100])
