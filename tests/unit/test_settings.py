"""Every setting: its default, its range, and the one line that refuses a wrong value."""

import os
import re
from pathlib import Path

import pytest

from todo.database.engine import engine_url
from todo.settings import Refusal, Settings

SECRET = "s" * 32
MINIMAL = {"BETTER_AUTH_SECRET": SECRET, "LOG_FORMAT": "json"}

READ = {
    "BETTER_AUTH_SECRET": ("x" * 40, "better_auth_secret", "x" * 40),
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
    "TASKS_PER_USER": ("1", "tasks_per_user", 1),
    "LOG_LEVEL": ("DEBUG", "log_level", "debug"),
    "LOG_FORMAT": ("console", "log_format", "console"),
}
"""For every variable: a value, the field it sets, and what the field then is."""

DEFAULTS = {
    "better_auth_secret": SECRET,
    "database_url": None,
    "migration_database_url": None,
    "instance_path": Path("instance"),
    "host": "127.0.0.1",
    "port": 8000,
    "web_concurrency": min(os.cpu_count() or 1, 4),
    "web_threads": 8,
    "worker_class": "asgi",
    "auth_jwt_issuer": None,
    "auth_jwt_audience": None,
    "auth_jwt_leeway_seconds": 10,
    "cors_origins": ("http://localhost:3000",),
    "tasks_per_user": 200_000,
    "log_level": "info",
    "log_format": "json",
}


def refusal_of(environment):
    """The line that a start with ``environment`` ends with."""
    with pytest.raises(Refusal) as refused:
        Settings.from_env(environment)
    line = str(refused.value)
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
    example = (Path(__file__).parents[2] / ".env.example").read_text()

    assert set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) == set(READ)


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
        ("TASKS_PER_USER", "0", "'0' is not a whole number from 1 to 10000000"),
        ("TASKS_PER_USER", "10000001", "'10000001' is not a whole number from 1 to 10000000"),
        ("LOG_LEVEL", "loud", "'loud' is not one of debug, info, warning, error"),
        ("LOG_FORMAT", "xml", "'xml' is not one of json, console"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(variable, value, reason):
    assert refusal_of({**MINIMAL, variable: value}) == f"{variable}: {reason}"


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
    line = refusal_of({**MINIMAL, "CORS_ORIGINS": f"http://localhost:3000,{origin}"})

    assert line == (
        f"CORS_ORIGINS: {origin!r} is not an origin; "
        "write scheme://host[:port] as browsers send it: lower case, no path, no default port; "
        "several separated by commas"
    )


@pytest.mark.parametrize("secret", ["s" * 31, "much-too-brief", "ü" * 15])
def test_a_secret_below_32_bytes_is_refused(secret):
    line = refusal_of({**MINIMAL, "BETTER_AUTH_SECRET": secret})

    assert line.startswith("BETTER_AUTH_SECRET: shorter than 32 bytes; ")
    assert secret not in line


def test_a_secret_of_32_bytes_is_accepted_whatever_its_characters():
    settings = Settings.from_env({**MINIMAL, "BETTER_AUTH_SECRET": "ü" * 16})

    assert settings.better_auth_secret == "ü" * 16


@pytest.mark.parametrize("blank", [None, "", "   "])
def test_a_database_of_ones_own_needs_a_secret_of_ones_own(blank):
    environment = {"DATABASE_URL": "sqlite:///todo.db"}
    if blank is not None:
        environment["BETTER_AUTH_SECRET"] = blank

    assert refusal_of(environment).startswith("BETTER_AUTH_SECRET: not set; ")


def test_the_embedded_default_makes_itself_a_secret_and_keeps_it(tmp_path):
    environment = {"INSTANCE_PATH": str(tmp_path / "instance")}
    first, second = Settings.from_env(environment), Settings.from_env(environment)

    assert len(first.better_auth_secret) >= 32
    assert first == second


def test_an_instance_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()

    line = refusal_of({"INSTANCE_PATH": str(tmp_path / "file" / "instance")})
    assert line.startswith("INSTANCE_PATH: ")


def test_a_value_that_is_not_utf_8_is_refused_by_name():
    line = refusal_of({**MINIMAL, "BETTER_AUTH_SECRET": "\udcff" * 40})

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
    refusal = Refusal("PORT: wrong")

    assert isinstance(refusal, SystemExit)
    assert refusal.code == "PORT: wrong"
