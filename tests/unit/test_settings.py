"""Every setting: its default, its range, and the one line that refuses a wrong value."""

import os
import re
import runpy
from importlib.resources import files
from pathlib import Path
from secrets import token_urlsafe

import pytest

from todo.database.engine import engine_url
from todo.settings import reference
from todo.settings.configuration_error import ConfigurationError
from todo.settings.settings import Settings

SECRET = "s3cret-of-the-settings-tests-000000"
MINIMAL = {"BETTER_AUTH_SECRET": SECRET, "LOCAL_ACCOUNTS": "true", "LOG_FORMAT": "json"}

REPOSITORY = Path(__file__).parents[2]
RENEW = "'python -m todo.settings' renews it"

READ = {
    "BETTER_AUTH_SECRET": (
        "another-secret-of-the-settings-tests",
        "better_auth_secret",
        "another-secret-of-the-settings-tests",
    ),
    "BETTER_AUTH_SECRET_PREVIOUS": (
        "the-secret-before-that-one-0123456789",
        "better_auth_secret_previous",
        "the-secret-before-that-one-0123456789",
    ),
    "BETTER_AUTH_URL": ("https://app.example", "better_auth_url", "https://app.example"),
    "AUTH_JWKS_ISSUER": ("https://i.example", "auth_jwks_issuer", "https://i.example"),
    "AUTH_JWKS_AUDIENCE": ("todo", "auth_jwks_audience", "todo"),
    "AUTH_JWKS_ALGORITHMS": ("ES512, PS256", "auth_jwks_algorithms", ("ES512", "PS256")),
    "AUTH_JWKS_FRESH_SECONDS": ("10", "auth_jwks_fresh_seconds", 10),
    "LOCAL_ACCOUNTS": ("false", "local_accounts", False),
    "DATABASE_URL": ("postgres://db/todo", "database_url", "postgres://db/todo"),
    "MIGRATION_DATABASE_URL": ("postgres://d/t", "migration_database_url", "postgres://d/t"),
    "INSTANCE_PATH": ("/var/lib/todo", "instance_path", Path("/var/lib/todo")),
    "HOST": ("::1", "host", "::1"),
    "PORT": ("65535", "port", 65535),
    "WEB_CONCURRENCY": ("64", "web_concurrency", 64),
    "WEB_THREADS": ("128", "web_threads", 128),
    "WORKER_CLASS": ("gthread", "worker_class", "gthread"),
    "AUTH_JWT_ISSUER": ("https://a.example", "auth_jwt_issuer", "https://a.example"),
    "AUTH_JWT_AUDIENCE": ("todo", "auth_jwt_audience", "todo"),
    "AUTH_JWT_LEEWAY_SECONDS": ("0", "auth_jwt_leeway_seconds", 0),
    "CORS_ORIGINS": (
        "https://a.example, http://[::1]:8080 ,",
        "cors_origins",
        ("https://a.example", "http://[::1]:8080"),
    ),
    "TRUSTED_PROXIES": ("10.0.0.0/8, ::1,", "trusted_proxies", ("10.0.0.0/8", "::1")),
    "RATE_LIMIT": ("100/second; 5 per minute", "rate_limit", "100/second; 5 per minute"),
    "RATE_LIMIT_STORAGE": ("rediss://r:6380/1", "rate_limit_storage", "rediss://r:6380/1"),
    "TASKS_PER_USER": ("1", "tasks_per_user", 1),
    "LISTS_PER_USER": ("1", "lists_per_user", 1),
    "TRASH_DAYS": ("7", "trash_days", 7),
    "IDEMPOTENCY_HOURS": ("48", "idempotency_hours", 48),
    "CHANGES_DAYS": ("7", "changes_days", 7),
    "CHANGES_PER_USER": ("5000", "changes_per_user", 5000),
    "PUBLIC_URL": ("https://example.com/todo", "public_url", "https://example.com/todo"),
    "ROOT_PATH": ("/todo-api", "root_path", "/todo-api"),
    "LOG_LEVEL": ("DEBUG", "log_level", "debug"),
    "LOG_FORMAT": ("console", "log_format", "console"),
    "ACCESS_LOG": ("OFF", "access_log", "off"),
    "METRICS_PORT": ("9090", "metrics_port", 9090),
    "METRICS_HOST": ("::1", "metrics_host", "::1"),
}
"""For every variable: a value, the field it sets, and what the field then is."""

DEFAULTS = {
    "better_auth_secret": SECRET,
    "better_auth_secret_previous": None,
    "better_auth_url": None,
    "local_accounts": True,
    "database_url": None,
    "migration_database_url": None,
    "database_schema": None,
    "instance_path": Path("instance"),
    "host": "127.0.0.1",
    "access_log": "on",
    "metrics_port": None,
    "metrics_host": "127.0.0.1",
    "port": 8000,
    "public_url": None,
    "root_path": None,
    "web_concurrency": min(os.cpu_count() or 1, 4),
    "web_threads": 8,
    "worker_class": "asgi",
    "auth_jwt_issuer": None,
    "auth_jwt_audience": None,
    "auth_jwt_leeway_seconds": 10,
    "auth_jwks_url": None,
    "auth_jwks_issuer": None,
    "auth_jwks_audience": None,
    "auth_jwks_algorithms": ("EdDSA", "ES256", "RS256"),
    "auth_jwks_fresh_seconds": 300,
    "cors_origins": ("http://localhost:3000",),
    "trusted_proxies": (),
    "rate_limit": "3000/minute",
    "rate_limit_storage": "memory://",
    "tasks_per_user": 200_000,
    "lists_per_user": 500,
    "trash_days": 30,
    "idempotency_hours": 24,
    "changes_days": 90,
    "changes_per_user": 200_000,
    "log_level": "info",
    "log_format": "json",
}


def error_of(environment):
    """The line that a start with ``environment`` ends with."""
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_env(environment)
    line = str(raised.value)
    assert "\n" not in line
    assert line.isprintable()
    return line


def test_the_defaults():
    assert vars(Settings.from_env(MINIMAL)) == DEFAULTS


@pytest.mark.parametrize("variable", READ)
def test_a_variable_sets_its_field_and_no_other(variable):
    value, field, expected = READ[variable]

    assert vars(Settings.from_env({**MINIMAL, variable: value})) == {**DEFAULTS, field: expected}


@pytest.mark.parametrize("variable", sorted(set(READ) - {"BETTER_AUTH_SECRET", "LOG_FORMAT"}))
@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_variable_counts_as_unset(variable, blank):
    assert vars(Settings.from_env({**MINIMAL, variable: blank})) == DEFAULTS


def test_every_variable_is_in_the_example_file():
    example = (REPOSITORY / ".env.example").read_text()

    assert set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) == {
        *READ,
        "AUTH_JWKS_URL",
        "DATABASE_SCHEMA",
    }


def test_the_example_file_says_what_the_settings_say():
    assert (REPOSITORY / ".env.example").read_text() == reference.example(), RENEW


def test_the_page_about_the_configuration_says_what_the_settings_say():
    page = (REPOSITORY / "docs" / "configuration.md").read_text()

    assert page == reference.with_tables(page), RENEW


def test_both_are_renewed_by_one_command(tmp_path, monkeypatch):
    page = (REPOSITORY / "docs" / "configuration.md").read_text()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "configuration.md").write_text(page.replace("8000", "8001"))
    monkeypatch.chdir(tmp_path)

    runpy.run_module("todo.settings")

    assert (tmp_path / "docs" / "configuration.md").read_text() == page
    assert (tmp_path / ".env.example").read_text() == reference.example()


def test_the_example_file_sets_the_defaults():
    lines = (REPOSITORY / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    assert vars(Settings.from_env({**MINIMAL, **example})) == DEFAULTS


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("PORT", "0", "'0' is not a whole number from 1 to 65535"),
        ("PORT", "65536", "'65536' is not a whole number from 1 to 65535"),
        ("PORT", "http", "'http' is not a whole number from 1 to 65535"),
        ("PORT", "-1", "'-1' is not a whole number from 1 to 65535"),
        ("PORT", "8_0", "'8_0' is not a whole number from 1 to 65535"),
        ("PORT", "8\n0", r"'8\n0' is not a whole number from 1 to 65535"),
        ("PORT", "9" * 5000, f"'{'9' * 40}' is not a whole number from 1 to 65535"),
        ("WEB_CONCURRENCY", "0", "'0' is not a whole number from 1 to 64"),
        ("WEB_CONCURRENCY", "65", "'65' is not a whole number from 1 to 64"),
        ("WEB_THREADS", "0", "'0' is not a whole number from 1 to 128"),
        ("WEB_THREADS", "129", "'129' is not a whole number from 1 to 128"),
        ("AUTH_JWT_LEEWAY_SECONDS", "301", "'301' is not a whole number from 0 to 300"),
        ("AUTH_JWT_LEEWAY_SECONDS", "1.5", "'1.5' is not a whole number from 0 to 300"),
        ("TRASH_DAYS", "0", "'0' is not a whole number from 1 to 3650"),
        ("CHANGES_PER_USER", "999", "'999' is not a whole number from 1000 to 10000000"),
        ("IDEMPOTENCY_HOURS", "721", "'721' is not a whole number from 1 to 720"),
        ("TASKS_PER_USER", "0", "'0' is not a whole number from 1 to 10000000"),
        ("LISTS_PER_USER", "0", "'0' is not a whole number from 1 to 1000"),
        ("TASKS_PER_USER", "10000001", "'10000001' is not a whole number from 1 to 10000000"),
        ("LOG_LEVEL", "loud", "'loud' is not one of debug, info, warning, error"),
        ("LOG_FORMAT", "xml", "'xml' is not one of json, console"),
        ("ACCESS_LOG", "no", "'no' is not one of on, off"),
        ("METRICS_PORT", "0", "'0' is not a whole number from 1 to 65535"),
        ("METRICS_PORT", "8000", "is the same as PORT; choose another one"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(variable, value, reason):
    assert error_of({**MINIMAL, variable: value}) == f"{variable}: {reason}"


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "localhost:3000",
        "http://localhost:3000/",
        "http://localhost:3000/app",
        "http://localhost:3000?x",
        "HTTP://localhost:3000",
        "http://",
        "://localhost",
        "http://[::1",
        "http://*.example\n.com",
        "https://*.example.com",
        "https://example.com:443",
        "http://example.com:80",
        "http://example.com:65536",
        "http://alice:secret@example.com",
        "https://Example.com",
        "https://bücher.example",
        "http://a b.example",
    ],
)
def test_what_no_browser_sends_as_an_origin_is_refused(origin):
    line = error_of({**MINIMAL, "CORS_ORIGINS": f"http://localhost:3000,{origin}"})

    assert line == (
        f"CORS_ORIGINS: {origin!r} is not an origin; "
        "write scheme://host[:port] as browsers send it: lower case, no path, no default port; "
        "several separated by commas"
    )


@pytest.mark.parametrize(
    "prefix", ["todo", "/", "/todo/", "//todo", "/a//b", "/a/../b", "/.", "/a b", "/%41", "/a?b",
               "/a#b", "/ü", "/a\nb", '/"', "https://example.com/todo", f"/{'a' * 100}"]
)  # fmt: skip
def test_what_cannot_stand_before_every_path_is_refused(prefix):
    assert error_of({**MINIMAL, "ROOT_PATH": prefix}) == (
        f"ROOT_PATH: {prefix[:100]!r} is not a prefix; "
        "write /prefix, without a / at the end, or unset ROOT_PATH"
    )


@pytest.mark.parametrize(
    "url", ["example.com", "/todo", "ftp://example.com", "https://", "https://example.com/",
            "https://example.com/todo/", "https://example.com/todo?a", "https://example.com/#a",
            "https://example.com/a b", "https://example.com:0", "https://example.com/../todo"]
)  # fmt: skip
def test_an_address_that_nobody_could_link_to_is_refused(url):
    assert error_of({**MINIMAL, "PUBLIC_URL": url}) == (
        f"PUBLIC_URL: {url!r} is not an address to link to; "
        "write https://host[:port][/prefix], without a / at the end"
    )


def test_a_password_in_an_address_is_not_shown():
    line = error_of({**MINIMAL, "PUBLIC_URL": "https://alice:secret@example.com"})

    assert line.startswith("PUBLIC_URL: the value is not an address to link to; ")


@pytest.mark.parametrize(
    ("url", "prefix", "server"),
    [
        (None, "", "/"),
        ("https://example.com", "", "https://example.com"),
        ("https://example.com:8443/a/b", "/a/b", "https://example.com:8443/a/b"),
    ],
)
def test_the_path_of_the_public_url_is_the_prefix(url, prefix, server):
    settings = Settings.from_env({**MINIMAL, "PUBLIC_URL": url or ""})

    assert (settings.prefix, settings.server_url) == (prefix, server)


def test_both_may_say_the_same_prefix():
    both = {"PUBLIC_URL": "https://example.com/todo", "ROOT_PATH": "/todo"}

    assert Settings.from_env({**MINIMAL, **both}).prefix == "/todo"


def test_a_prefix_without_an_address_is_the_server_of_the_contract():
    settings = Settings.from_env({**MINIMAL, "ROOT_PATH": "/todo"})

    assert (settings.prefix, settings.server_url) == ("/todo", "/todo")


@pytest.mark.parametrize("url", ["https://example.com", "https://example.com/todo/v1"])
def test_a_prefix_that_the_public_url_does_not_have_is_refused(url):
    path = url.removeprefix("https://example.com")

    assert error_of({**MINIMAL, "PUBLIC_URL": url, "ROOT_PATH": "/todo"}) == (
        f"ROOT_PATH: '/todo' is not the path of PUBLIC_URL, {path!r}; "
        "PUBLIC_URL has the prefix at its end, or unset ROOT_PATH"
    )


@pytest.mark.parametrize("proxy", ["nginx", "10.0.0.0/33", "10.0.0.1:80", "*", "http://10.0.0.1"])
def test_what_is_no_network_is_no_trusted_proxy(proxy):
    line = error_of({**MINIMAL, "TRUSTED_PROXIES": f"::1, {proxy}"})

    assert line == (
        f"TRUSTED_PROXIES: {proxy!r} is not an address or a network; write 192.0.2.7 or "
        "10.0.0.0/8; several separated by commas"
    )


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("off", []),
        ("OFF", []),
        ("3000/minute", [(3000, 60)]),
        ("100/second; 3000 per 5 minutes", [(100, 1), (3000, 300)]),
        ("1/day", [(1, 86_400)]),
    ],
)
def test_rate_limits_are_requests_in_seconds(text, limits):
    settings = Settings.from_env({**MINIMAL, "RATE_LIMIT": text})

    assert [(limit.amount, limit.get_expiry()) for limit in settings.rate_limits] == limits


@pytest.mark.parametrize(
    "limit",
    ["none", "0/minute", "3000", "1/month", "2 per 25 hour", "-1/day", "1/day;" * 5 + "1/day"],
)
def test_what_is_no_rate_limit_is_refused(limit):
    line = error_of({**MINIMAL, "RATE_LIMIT": limit})

    assert line == (
        f"RATE_LIMIT: {limit!r} is not 'off' and no limit; write '3000/minute', or several as in "
        "'100/second; 3000/minute', at most 4, each of at most a day"
    )


@pytest.mark.parametrize(
    "url", ["redis", "redis://", "memcached://:QXZKVW@m:1", "redis://:QXZKVW@r:x", "memory"]
)
def test_what_is_no_storage_of_rate_limits_is_refused_and_not_told(url):
    line = error_of({**MINIMAL, "RATE_LIMIT_STORAGE": url})

    assert line == (
        "RATE_LIMIT_STORAGE: the value is not 'memory://' and no URL of Redis; write "
        "redis://host:port/0, or rediss:// for TLS"
    )


@pytest.mark.parametrize("secret", ["s" * 31, "much-too-brief", "ü" * 15])
def test_a_secret_below_32_bytes_is_refused(secret):
    line = error_of({**MINIMAL, "BETTER_AUTH_SECRET": secret})

    assert line.startswith("BETTER_AUTH_SECRET: shorter than 32 bytes; ")
    assert secret not in line


def test_a_secret_of_32_bytes_is_accepted_whatever_its_characters():
    settings = Settings.from_env({**MINIMAL, "BETTER_AUTH_SECRET": "üé" * 8})

    assert settings.better_auth_secret == "üé" * 8


@pytest.mark.parametrize("variable", ["BETTER_AUTH_SECRET", "BETTER_AUTH_SECRET_PREVIOUS"])
@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("a" * 64, "one repeated character"),
        ("better-auth-secret-12345678901234567890", "publicly known"),
        ("BETTER_AUTH_SECRET_12345678901234567890", "publicly known"),
        ("your-super-secret-key-at-least-32-characters-long", "publicly known"),
        ("0123456789abcdef0123456789abcdef", "publicly known"),
        ("please-change-me-please-change-it-now", "publicly known"),
        ("hunter2", "shorter than 32 bytes"),
    ],
)
def test_a_secret_that_is_none_is_refused_without_being_shown(variable, secret, reason):
    line = error_of({**MINIMAL, variable: secret})

    assert line.startswith(f"{variable}: {reason}")
    assert "openssl rand -base64 32" in line
    assert secret not in line


def test_every_known_secret_on_the_list_is_refused():
    listed = [
        line
        for line in (files("todo.settings") / "known_secrets.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]

    assert len(listed) >= 20
    for secret in listed:
        assert error_of({**MINIMAL, "BETTER_AUTH_SECRET": secret})


@pytest.mark.parametrize("length", [24, 32, 48])
def test_random_secrets_are_accepted(length):
    for _ in range(200):
        secret = token_urlsafe(length)
        assert Settings.from_env({**MINIMAL, "BETTER_AUTH_SECRET": secret})


def test_better_auths_url_alone_is_enough_and_makes_no_secret(tmp_path):
    settings = Settings.from_env(
        {"BETTER_AUTH_URL": "https://App.example:8443", "INSTANCE_PATH": str(tmp_path / "instance")}
    )

    assert settings.better_auth_secret is None
    assert settings.local_accounts is False
    assert settings.jwks_url == "https://App.example:8443/api/auth/jwks"
    assert settings.jwks_issuer == settings.jwks_audience == "https://app.example:8443"
    assert not (tmp_path / "instance").exists()


@pytest.mark.parametrize(
    ("url", "jwks", "origin"),
    [
        ("http://localhost:3000", "http://localhost:3000/api/auth/jwks", "http://localhost:3000"),
        ("http://localhost:3000/", "http://localhost:3000/api/auth/jwks", "http://localhost:3000"),
        ("https://a.example:443/auth", "https://a.example:443/auth/jwks", "https://a.example"),
        ("http://[::1]:3000", "http://[::1]:3000/api/auth/jwks", "http://[::1]:3000"),
    ],
)
def test_keys_issuer_and_audience_follow_from_better_auths_url(url, jwks, origin):
    settings = Settings.from_env({**MINIMAL, "BETTER_AUTH_URL": url})

    assert settings.jwks_url == jwks
    assert (settings.jwks_issuer, settings.jwks_audience) == (origin, origin)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, True),
        ({"BETTER_AUTH_URL": "https://a.example"}, False),
        ({"DATABASE_URL": "sqlite:///todo.db"}, False),
        ({"DATABASE_URL": "sqlite:///todo.db", "LOCAL_ACCOUNTS": "true"}, True),
        ({"BETTER_AUTH_URL": "https://a.example", "LOCAL_ACCOUNTS": "TRUE"}, True),
        ({"LOCAL_ACCOUNTS": "false"}, False),
    ],
)
def test_local_accounts_are_for_the_api_that_stands_alone(environment, expected):
    settings = Settings.from_env({"BETTER_AUTH_SECRET": SECRET, **environment})

    assert settings.local_accounts is expected


@pytest.mark.parametrize(
    ("environment", "beginning"),
    [
        (
            {"BETTER_AUTH_URL": "https://a.example", "LOCAL_ACCOUNTS": "true"},
            "LOCAL_ACCOUNTS: needs a BETTER_AUTH_SECRET",
        ),
        (
            {"BETTER_AUTH_URL": "https://a.example", "BETTER_AUTH_SECRET_PREVIOUS": SECRET},
            "BETTER_AUTH_SECRET_PREVIOUS: needs a BETTER_AUTH_SECRET",
        ),
        ({"AUTH_JWKS_URL": "https://a.example/jwks"}, "AUTH_JWKS_ISSUER: not set"),
        (
            {**MINIMAL, "AUTH_JWKS_ALGORITHMS": "EdDSA,HS256"},
            "AUTH_JWKS_ALGORITHMS: 'HS256' is not one of EdDSA, ES256, RS256, PS256, ES512",
        ),
        ({**MINIMAL, "LOCAL_ACCOUNTS": "1"}, "LOCAL_ACCOUNTS: '1' is not one of true, false"),
        ({"DATABASE_URL": "sqlite:///todo.db"}, "BETTER_AUTH_SECRET: not set, and no BETTER_AUTH"),
    ],
)
def test_what_could_never_tell_who_is_calling_is_refused(environment, beginning):
    assert error_of(environment).startswith(beginning)


@pytest.mark.parametrize("variable", ["BETTER_AUTH_URL", "AUTH_JWKS_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "localhost:3000",
        "ftp://a.example",
        "https://",
        "https://user:pw@a.example",
        "https://a.example?x=1",
        "https://a.example#x",
        "https://a b.example",
        "https://a.example:port",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_url_to_fetch_keys_from_is_refused(variable, url):
    line = error_of({**MINIMAL, "AUTH_JWKS_ISSUER": "https://a.example", variable: url})

    told = "the value" if "@" in url else repr(url)  # which may have a password in it
    assert line.startswith(f"{variable}: {told} is not a URL; ")


@pytest.mark.parametrize("blank", [None, "", "   "])
def test_a_database_of_ones_own_needs_a_secret_of_ones_own(blank):
    environment = {"DATABASE_URL": "sqlite:///todo.db"}
    if blank is not None:
        environment["BETTER_AUTH_SECRET"] = blank

    assert error_of(environment).startswith("BETTER_AUTH_SECRET: not set, ")


def test_the_embedded_default_makes_itself_a_secret_and_keeps_it(tmp_path):
    environment = {"INSTANCE_PATH": str(tmp_path / "instance")}
    first, second = Settings.from_env(environment), Settings.from_env(environment)

    assert len(first.better_auth_secret) >= 32
    assert first == second


def test_an_instance_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()

    line = error_of({"INSTANCE_PATH": str(tmp_path / "file" / "instance")})
    assert line.startswith("INSTANCE_PATH: ")


def test_a_value_that_is_not_utf_8_is_refused_by_name():
    line = error_of({**MINIMAL, "BETTER_AUTH_SECRET": "\udcff" * 40})

    assert line.startswith("BETTER_AUTH_SECRET: ")


def test_the_embedded_default_is_sqlite_in_the_instance_folder(tmp_path):
    settings = Settings(better_auth_secret=SECRET, instance_path=tmp_path)

    assert settings.embedded
    assert settings.sqlalchemy_url == f"sqlite:///{tmp_path}/todo.db"


@pytest.mark.parametrize("name", ["a b", "a%20b", "a?b", "a#b", "é", "100%", "a:b@c"])
def test_the_embedded_database_is_beside_its_secret_whatever_the_folder_is_called(tmp_path, name):
    settings = Settings(better_auth_secret=SECRET, instance_path=tmp_path / name)

    assert engine_url(settings.sqlalchemy_url).database == str(tmp_path / name / "todo.db")


def test_a_database_url_is_used_as_it_was_written():
    settings = Settings(better_auth_secret=SECRET, database_url="postgres://db/todo")

    assert not settings.embedded
    assert settings.sqlalchemy_url == "postgres://db/todo"


def test_no_secret_is_in_the_text_of_the_settings():
    settings = Settings(
        better_auth_secret="top-secret-" + SECRET,
        database_url="postgres://u:top-secret-2@db/todo",
        migration_database_url="postgres://u:top-secret-3@db/todo",
    )

    assert "top-secret" not in repr(settings)


def test_a_refusal_ends_the_process_with_status_1_and_its_line():
    refusal = ConfigurationError("PORT: wrong")

    assert isinstance(refusal, SystemExit)
    assert refusal.code == "PORT: wrong"


ON_POSTGRESQL = {**MINIMAL, "DATABASE_URL": "postgres://db/todo"}


@pytest.mark.parametrize("name", ["todo", "_", "a" * 63, "public", "todo_2", "information"])
def test_a_schema_of_postgresql_may_be_named(name):
    settings = Settings.from_env({**ON_POSTGRESQL, "DATABASE_SCHEMA": name})

    assert vars(settings) == {
        **DEFAULTS,
        "database_url": "postgres://db/todo",
        "database_schema": name,
    }


@pytest.mark.parametrize(
    "name",
    ["Todo", "to do", 'to"do', "2do", "a" * 64, "pg_todo", "information_schema", "tödo", "a.b"],
)
def test_what_no_schema_of_ours_can_be_called_is_refused(name):
    assert error_of({**ON_POSTGRESQL, "DATABASE_SCHEMA": name}) == (
        f"DATABASE_SCHEMA: {name!r} cannot be a schema of this API's; write lower case letters, "
        "digits and _, at most 63, as in 'todo'; pg_* and information_schema are PostgreSQL's own"
    )


@pytest.mark.parametrize("database", [{}, {"DATABASE_URL": "sqlite:////srv/todo.db"}])
def test_a_schema_on_sqlite_is_refused(database):
    assert error_of({**MINIMAL, **database, "DATABASE_SCHEMA": "todo"}) == (
        "DATABASE_SCHEMA: only PostgreSQL has schemas, and the database is SQLite; take it away, "
        "or set DATABASE_URL"
    )
