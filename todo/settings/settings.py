"""Every setting: an environment variable, its default, its meaning. Read once, then frozen."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

from todo.settings.instance_folder import instance_secret
from todo.settings.secret_strength import weakness
from todo.values.origins import MAX_PORT, is_origin, is_web_url, origin_of

JWKS_PATH = "/api/auth"
"""Where Better Auth serves itself unless its base URL has a path of its own."""
JWKS_ALGORITHMS = ("EdDSA", "ES256", "RS256", "PS256", "ES512")
"""What Better Auth can sign with; the first three are accepted unless the settings say else."""
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("json", "console")

_SCHEMA = re.compile("[a-z_][a-z0-9_]{0,62}")


class ConfigurationError(SystemExit):
    """A start that must not go on. Its text is one line: what is wrong, and what to do.

    As a ``SystemExit`` it ends gunicorn, ``todo`` and a bare interpreter alike with that line
    on standard error and exit status 1, without a traceback.
    """


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the application may know of its surroundings.

    ``database_url`` of ``None`` means the embedded default: SQLite in ``instance_path``.
    """

    better_auth_secret: str | None = field(repr=False)
    better_auth_secret_previous: str | None = field(default=None, repr=False)
    better_auth_url: str | None = None
    local_accounts: bool = False
    database_url: str | None = field(default=None, repr=False)
    migration_database_url: str | None = field(default=None, repr=False)
    database_schema: str | None = None
    instance_path: Path = Path("instance")
    host: str = "127.0.0.1"
    port: int = 8000
    web_concurrency: int = field(default_factory=lambda: min(os.cpu_count() or 1, 4))
    web_threads: int = 8
    worker_class: str = "asgi"
    auth_jwt_issuer: str | None = None
    auth_jwt_audience: str | None = None
    auth_jwt_leeway_seconds: int = 10
    auth_jwks_url: str | None = None
    auth_jwks_issuer: str | None = None
    auth_jwks_audience: str | None = None
    auth_jwks_algorithms: tuple[str, ...] = JWKS_ALGORITHMS[:3]
    auth_jwks_fresh_seconds: int = 300
    cors_origins: tuple[str, ...] = ("http://localhost:3000",)
    tasks_per_user: int = 200_000
    trash_days: int = 30
    idempotency_hours: int = 24
    log_level: str = "info"
    log_format: str = field(default_factory=lambda: "console" if os.isatty(2) else "json")

    def __post_init__(self) -> None:
        """Refuse what could never tell who is calling, and origins that no browser would send."""
        self._check_secrets()
        self._check_issuer()
        self._check_schema()
        for origin in self.cors_origins:
            if not is_origin(origin):
                raise ConfigurationError(
                    f"CORS_ORIGINS: {origin!r} is not an origin; "
                    "write scheme://host[:port] as browsers send it: lower case, no path, no "
                    "default port; several separated by commas"
                )

    def _check_schema(self) -> None:
        name = self.database_schema
        if name is None:
            return
        if not _SCHEMA.fullmatch(name) or name.startswith("pg_") or name == "information_schema":
            raise ConfigurationError(
                f"DATABASE_SCHEMA: {name[:100]!r} cannot be a schema of this API's; write lower "
                "case letters, digits and _, at most 63, as in 'todo'; pg_* and "
                "information_schema are PostgreSQL's own"
            )
        if (self.database_url or "sqlite:").startswith("sqlite"):
            raise ConfigurationError(
                "DATABASE_SCHEMA: only PostgreSQL has schemas, and the database is SQLite; take "
                "it away, or set DATABASE_URL"
            )

    def _check_secrets(self) -> None:
        if self.better_auth_secret is None:
            self._check_without_secret()
        for name in ("better_auth_secret", "better_auth_secret_previous"):
            secret: str | None = getattr(self, name)
            if secret is not None and (wrong := weakness(secret)):
                raise ConfigurationError(
                    f"{name.upper()}: {wrong}; "
                    "make one with 'openssl rand -base64 32' and give it to Better Auth too"
                )

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

    def _check_issuer(self) -> None:
        for name in ("better_auth_url", "auth_jwks_url"):
            url: str | None = getattr(self, name)
            if url is not None and not is_web_url(url):
                raise ConfigurationError(
                    f"{name.upper()}: {url[:100]!r} is not a URL; "
                    "write https://host[:port][/path], without user, query or fragment"
                )
        if self.jwks_url is not None and self.jwks_issuer is None:
            raise ConfigurationError(
                "AUTH_JWKS_ISSUER: not set; with AUTH_JWKS_URL alone, give the 'iss' of its tokens "
                "(or set BETTER_AUTH_URL)"
            )
        for algorithm in self.auth_jwks_algorithms:
            if algorithm not in JWKS_ALGORITHMS:
                raise ConfigurationError(
                    f"AUTH_JWKS_ALGORITHMS: {algorithm[:40]!r} is not one of "
                    f"{', '.join(JWKS_ALGORITHMS)}"
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

    @property
    def embedded(self) -> bool:
        """Whether the database is the embedded default, which migrates itself at start."""
        return self.database_url is None

    @property
    def sqlalchemy_url(self) -> str:
        """The database that requests are served from, as the operator wrote it."""
        embedded = self.instance_path.resolve() / "todo.db"
        return self.database_url or f"sqlite:///{quote(str(embedded))}"

    @classmethod
    def from_env(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the environment; a blank variable counts as unset.

        Raises :class:`ConfigurationError`, naming the variable, for a value that is out of range
        and for a missing secret. With the embedded default and neither a secret nor Better Auth's
        URL, a secret is generated once and kept in the instance folder.
        """
        env = _Variables(environment)
        given: dict[str, Any] = {
            "better_auth_secret": env.text("BETTER_AUTH_SECRET"),
            "better_auth_secret_previous": env.text("BETTER_AUTH_SECRET_PREVIOUS"),
            "better_auth_url": env.text("BETTER_AUTH_URL"),
            "local_accounts": env.boolean("LOCAL_ACCOUNTS"),
            "database_url": env.text("DATABASE_URL"),
            "migration_database_url": env.text("MIGRATION_DATABASE_URL"),
            "database_schema": env.text("DATABASE_SCHEMA"),
            "instance_path": env.path("INSTANCE_PATH"),
            "host": env.text("HOST"),
            "port": env.integer("PORT", 1, MAX_PORT),
            "web_concurrency": env.integer("WEB_CONCURRENCY", 1, 64),
            "web_threads": env.integer("WEB_THREADS", 1, 128),
            "worker_class": env.text("WORKER_CLASS"),
            "auth_jwt_issuer": env.text("AUTH_JWT_ISSUER"),
            "auth_jwt_audience": env.text("AUTH_JWT_AUDIENCE"),
            "auth_jwt_leeway_seconds": env.integer("AUTH_JWT_LEEWAY_SECONDS", 0, 300),
            "auth_jwks_url": env.text("AUTH_JWKS_URL"),
            "auth_jwks_issuer": env.text("AUTH_JWKS_ISSUER"),
            "auth_jwks_audience": env.text("AUTH_JWKS_AUDIENCE"),
            "auth_jwks_algorithms": env.items("AUTH_JWKS_ALGORITHMS"),
            "auth_jwks_fresh_seconds": env.integer("AUTH_JWKS_FRESH_SECONDS", 10, 86_400),
            "cors_origins": env.items("CORS_ORIGINS"),
            "tasks_per_user": env.integer("TASKS_PER_USER", 1, 10_000_000),
            "trash_days": env.integer("TRASH_DAYS", 1, 3650),
            "idempotency_hours": env.integer("IDEMPOTENCY_HOURS", 1, 720),
            "log_level": env.choice("LOG_LEVEL", LOG_LEVELS),
            "log_format": env.choice("LOG_FORMAT", LOG_FORMATS),
        }
        given = {name: value for name, value in given.items() if value is not None}
        alone = not {"database_url", "better_auth_url", "auth_jwks_url"} & set(given)
        given.setdefault("local_accounts", alone)
        if "better_auth_secret" not in given:
            folder = given.get("instance_path", cls.instance_path)
            given["better_auth_secret"] = _instance_secret(folder) if alone else None
        return cls(**given)


class _Variables:
    """Typed access to environment variables, ``None`` for those that are not set; every refusal
    names the variable.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str) -> str | None:
        text = self._environment.get(name, "").strip()
        try:
            text.encode()
        except UnicodeEncodeError:  # how Python shows bytes that are not UTF-8
            raise ConfigurationError(f"{name}: is not UTF-8") from None
        return text or None

    def path(self, name: str) -> Path | None:
        text = self.text(name)
        return Path(text) if text else None

    def items(self, name: str) -> tuple[str, ...] | None:
        items = (item.strip() for item in (self.text(name) or "").split(","))
        return tuple(filter(None, items)) or None

    def integer(self, name: str, low: int, high: int) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        if not text.isdecimal() or not low <= int(text[:20]) <= high:
            raise ConfigurationError(
                f"{name}: {text[:40]!r} is not a whole number from {low} to {high}"
            )
        return int(text)

    def boolean(self, name: str) -> bool | None:
        text = self.choice(name, ("true", "false"))
        return None if text is None else text == "true"

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        text = (self.text(name) or "").lower() or None
        if text is not None and text not in choices:
            raise ConfigurationError(f"{name}: {text[:40]!r} is not one of {', '.join(choices)}")
        return text


def _instance_secret(folder: Path) -> str:
    """Return the embedded default's own secret, made once."""
    try:
        secret = instance_secret(folder)
    except OSError as error:
        raise ConfigurationError(f"INSTANCE_PATH: {error}; name a folder to write to") from None
    except UnicodeDecodeError:
        secret = ""
    if weakness(secret):
        raise ConfigurationError(
            f"INSTANCE_PATH: {folder / 'secret'} is damaged; delete it and a new one is "
            "made, which ends every token of the old one"
        )
    return secret
