"""Every setting: an environment variable, its default, its meaning. Read once, then frozen."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from todo.instance import instance_secret

MIN_SECRET_BYTES = 32
"""An HS256 key is at least as long as the hash (RFC 7518, section 3.2)."""
MAX_PORT = 65_535
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("json", "console")

_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?"
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Refusal(SystemExit):
    """A start that must not go on. Its text is one line: what is wrong, and what to do.

    As a ``SystemExit`` it ends gunicorn, ``todo`` and a bare interpreter alike with that line
    on standard error and exit status 1, without a traceback.
    """


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the application may know of its surroundings.

    ``database_url`` of ``None`` means the embedded default: SQLite in ``instance_path``.
    """

    better_auth_secret: str = field(repr=False)
    database_url: str | None = field(default=None, repr=False)
    migration_database_url: str | None = field(default=None, repr=False)
    instance_path: Path = Path("instance")
    host: str = "127.0.0.1"
    port: int = 8000
    web_concurrency: int = field(default_factory=lambda: min(os.cpu_count() or 1, 4))
    web_threads: int = 8
    worker_class: str = "asgi"
    auth_jwt_issuer: str | None = None
    auth_jwt_audience: str | None = None
    auth_jwt_leeway_seconds: int = 10
    cors_origins: tuple[str, ...] = ("http://localhost:3000",)
    tasks_per_user: int = 200_000
    log_level: str = "info"
    log_format: str = field(default_factory=lambda: "console" if os.isatty(2) else "json")

    def __post_init__(self) -> None:
        """Refuse a secret that is no secret, and origins that no browser would send."""
        if len(self.better_auth_secret.encode()) < MIN_SECRET_BYTES:
            raise Refusal(
                f"BETTER_AUTH_SECRET: shorter than {MIN_SECRET_BYTES} bytes; "
                "make one with 'openssl rand -base64 32' and give it to Better Auth too"
            )
        for origin in self.cors_origins:
            if not _is_origin(origin):
                raise Refusal(
                    f"CORS_ORIGINS: {origin!r} is not an origin; "
                    "write scheme://host[:port] as browsers send it: lower case, no path, no "
                    "default port; several separated by commas"
                )

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

        Raises :class:`Refusal`, naming the variable, for a value that is out of range and for a
        missing secret. With the embedded default and no secret, one is generated once and kept
        in the instance folder.
        """
        env = _Variables(environment)
        given: dict[str, Any] = {
            "better_auth_secret": env.text("BETTER_AUTH_SECRET"),
            "database_url": env.text("DATABASE_URL"),
            "migration_database_url": env.text("MIGRATION_DATABASE_URL"),
            "instance_path": env.path("INSTANCE_PATH"),
            "host": env.text("HOST"),
            "port": env.integer("PORT", 1, MAX_PORT),
            "web_concurrency": env.integer("WEB_CONCURRENCY", 1, 64),
            "web_threads": env.integer("WEB_THREADS", 1, 128),
            "worker_class": env.text("WORKER_CLASS"),
            "auth_jwt_issuer": env.text("AUTH_JWT_ISSUER"),
            "auth_jwt_audience": env.text("AUTH_JWT_AUDIENCE"),
            "auth_jwt_leeway_seconds": env.integer("AUTH_JWT_LEEWAY_SECONDS", 0, 300),
            "cors_origins": env.items("CORS_ORIGINS"),
            "tasks_per_user": env.integer("TASKS_PER_USER", 1, 10_000_000),
            "log_level": env.choice("LOG_LEVEL", LOG_LEVELS),
            "log_format": env.choice("LOG_FORMAT", LOG_FORMATS),
        }
        given = {name: value for name, value in given.items() if value is not None}
        if "better_auth_secret" not in given:
            embedded = "database_url" not in given
            folder = given.get("instance_path", cls.instance_path)
            given["better_auth_secret"] = _secret(folder if embedded else None)
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
            raise Refusal(f"{name}: is not UTF-8") from None
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
            raise Refusal(f"{name}: {text[:40]!r} is not a whole number from {low} to {high}")
        return int(text)

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        text = (self.text(name) or "").lower() or None
        if text is not None and text not in choices:
            raise Refusal(f"{name}: {text[:40]!r} is not one of {', '.join(choices)}")
        return text


def _is_origin(text: str) -> bool:
    """Whether browsers send ``text`` as an Origin (RFC 6454, section 6.2)."""
    match = _ORIGIN.fullmatch(text)
    if match is None:
        return False
    port = int(match["port"] or 0)
    return port <= MAX_PORT and port != _DEFAULT_PORTS.get(match["scheme"])


def _secret(instance_path: Path | None) -> str:
    """Return the embedded default's own secret; without its folder somebody must give one."""
    if instance_path is not None:
        try:
            secret = instance_secret(instance_path)
        except OSError as error:
            raise Refusal(f"INSTANCE_PATH: {error}; name a folder to write to") from None
        except UnicodeDecodeError:
            secret = ""
        if len(secret) < MIN_SECRET_BYTES:
            raise Refusal(
                f"INSTANCE_PATH: {instance_path / 'secret'} is damaged; delete it and a new one is "
                "made, which ends every token of the old one"
            )
        return secret
    raise Refusal(
        "BETTER_AUTH_SECRET: not set; give the secret that Better Auth signs with, "
        "or make one with 'openssl rand -base64 32' and give it to both"
    )
