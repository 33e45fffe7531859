"""``todo doctor``: looks at what the API stands on, and says of each thing what to do."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import jwt
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from todo.auth import local_tokens
from todo.auth.bearer import key_set, verifier
from todo.auth.invalid_token import InvalidTokenError
from todo.auth.jwks import FAILURES, Jwks, reason, usable_keys
from todo.auth.tokens import HS256, Claims, KeysUnavailableError
from todo.database import obstacles, schema
from todo.database.engine import display, engine_url, maintenance_engine
from todo.database.errors import first_line
from todo.database.pooler import is_pooled
from todo.problem_types import PROBLEM_TYPES
from todo.settings.settings import ConfigurationError, Settings


@dataclass(frozen=True)
class Finding:
    """One line: whether the ``subject`` is well, and what it is or what to do."""

    ok: bool
    subject: str
    text: str


class CheckFailedError(Exception):
    """A check that failed: what is wrong, and what to do."""


def examine(settings: Settings, token: str | None = None) -> Iterator[Finding]:
    """Yield a finding for everything that ``settings`` name, and for ``token`` if given."""
    yield Finding(True, "settings", display(settings.sqlalchemy_url) + _in_schema(settings))
    checks: dict[str, Callable[[], str]] = {
        "database": lambda: _database(settings),
        "schema": lambda: _schema(settings),
        "pooler": lambda: _pooler(settings),
        "token": lambda: _families(settings),
        "better auth": lambda: _better_auth(settings),
    }
    keys = key_set(settings)
    if keys is not None:
        checks["keys"] = lambda: _keys(keys, settings)
    if token is not None:
        checks["your token"] = lambda: _token(settings, token)
    for subject, check in checks.items():
        try:
            yield Finding(True, subject, check())
        except CheckFailedError as sick:
            yield Finding(False, subject, str(sick))


def _in_schema(settings: Settings) -> str:
    return f", schema {settings.database_schema}" if settings.database_schema else ""


def _is_new(settings: Settings) -> bool:
    """Whether the embedded default was never started: looking would make its file."""
    return (
        settings.embedded and not Path(str(engine_url(settings.sqlalchemy_url).database)).exists()
    )


def _database(settings: Settings) -> str:
    if _is_new(settings):
        return f"SQLite {sqlite3.sqlite_version}; the first start creates the database"
    engine = maintenance_engine(settings.sqlalchemy_url)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                version = connection.execute(sa.text("SELECT sqlite_version()")).scalar()
                return f"SQLite {version}"
            version = connection.execute(sa.text("SHOW server_version")).scalar()
            now = connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())"))
            _check_clock(float(now.scalar_one()), "the database's", settings)
            return f"PostgreSQL {version}"
    except SQLAlchemyError as error:
        raise CheckFailedError(
            f"{first_line(error)}; check DATABASE_URL and that the server runs"
        ) from None


def _schema(settings: Settings) -> str:
    if _is_new(settings):
        return "the tables do not exist yet; the first start creates them"
    try:
        engine = maintenance_engine(settings.sqlalchemy_url, namespace=settings.database_schema)
        revision = schema.current(engine)
    except SQLAlchemyError as error:
        raise CheckFailedError(f"unknown: {first_line(error)}") from None
    if revision is None:
        raise CheckFailedError("the database has none of this API's tables; run 'todo migrate'")
    if revision != schema.head():
        raise CheckFailedError(
            f"at {revision}, but this release needs {schema.head()}; run 'todo migrate'"
        )
    return f"at revision {revision}"


def _pooler(settings: Settings) -> str:
    migrations = settings.migration_database_url
    try:
        if not is_pooled(settings.sqlalchemy_url):
            return "none"
        if migrations is not None and is_pooled(migrations, "MIGRATION_DATABASE_URL"):
            return "MIGRATION_DATABASE_URL leads through a pooler; set it to a direct URL"
    except SQLAlchemyError as error:
        raise CheckFailedError(f"unknown: {first_line(error)}") from None
    except ConfigurationError as refusal:
        raise CheckFailedError(str(refusal)) from None
    if migrations is None:
        return (
            "DATABASE_URL leads through a pooler; "
            "give 'todo migrate' a direct URL with MIGRATION_DATABASE_URL"
        )
    return "DATABASE_URL leads through a pooler, and MIGRATION_DATABASE_URL is direct"


def _better_auth(settings: Settings) -> str:
    if _is_new(settings):
        return "the database has no tables of Better Auth"
    try:
        with maintenance_engine(settings.sqlalchemy_url).connect() as connection:
            obstacles.check_users(connection, settings.database_schema)
            tables = obstacles.better_auth_tables(connection)
    except obstacles.ObstacleError as foreign:
        raise CheckFailedError(str(foreign)) from None
    except SQLAlchemyError as error:
        raise CheckFailedError(f"unknown: {first_line(error)}") from None
    if not tables:
        return "the database has no tables of Better Auth"
    return (
        f"the database has tables of Better Auth ({', '.join(tables)}); this API never touches them"
    )


def _families(settings: Settings) -> str:
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


def _expected(issuer: str | None, audience: str | None) -> str:
    claims = [f"{name}={value}" for name, value in (("iss", issuer), ("aud", audience)) if value]
    return f", {' '.join(claims)}" if claims else ""


def _keys(keys: Jwks, settings: Settings) -> str:
    try:
        documents, date = asyncio.run(keys.fetch())
        usable = usable_keys(documents, frozenset(settings.auth_jwks_algorithms))
    except FAILURES as failure:
        raise CheckFailedError(
            f"{keys.url}: {reason(failure)}; check BETTER_AUTH_URL, that Better Auth runs with "
            "its jwt plugin, or say where the keys are with AUTH_JWKS_URL"
        ) from None
    if date is not None:
        _check_clock(_timestamp(date), "Better Auth's", settings)
    algorithms = sorted({key.algorithm_name for key in usable.values()})
    return f"{len(usable)} at {keys.url} ({', '.join(algorithms)})"


def _token(settings: Settings, token: str) -> str:
    try:
        claims = asyncio.run(verifier(settings, key_set(settings)).verify(token))
    except InvalidTokenError as refused:
        raise CheckFailedError(
            f"{refused.code}: {refused.detail} {PROBLEM_TYPES[refused.code].advice}"
        ) from None
    except KeysUnavailableError:
        raise CheckFailedError("keys_unavailable: see the line 'keys'") from None
    return f"accepted; the user is {claims['sub']!r}; {_way(token, claims)}"


def _way(token: str, claims: Claims) -> str:
    """Which of the README's ways an accepted token was made in."""
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


def _check_clock(other: float, whose: str, settings: Settings) -> None:
    """A ``Date`` is cut to seconds, hence one more than the leeway."""
    seconds = time.time() - other
    if abs(seconds) > settings.auth_jwt_leeway_seconds + 1:
        raise CheckFailedError(
            f"this machine's clock and {whose} differ by {seconds:.0f} s; set both by NTP, "
            "or tokens are refused as expired or not yet valid"
        )
