"""What a database URL means: `todo.database.engine`."""

import pytest

from todo.database.engine import engine_options, engine_url, is_postgresql
from todo.settings.configuration_error import ConfigurationError


def error_of(url):
    """The line that refuses ``url``."""
    with pytest.raises(ConfigurationError) as raised:
        engine_url(url)
    line = str(raised.value)
    assert line.startswith("DATABASE_URL: ")
    assert "\n" not in line
    return line


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_means_psycopg2(scheme):
    url = engine_url(f"{scheme}://alice:pw@db.example:5433/todo?sslmode=disable")

    assert url.render_as_string(hide_password=False) == (
        "postgresql+psycopg2://alice:pw@db.example:5433/todo?sslmode=disable"
    )
    assert is_postgresql(url)


@pytest.mark.parametrize(
    "host",
    [
        "db.example",
        "10.0.0.5",
        "192.168.1.1",
        "db",
        "[2001:db8::1]",
        "localhost.example",
        "127.0.0.1.example",
    ],
)
def test_a_host_that_is_not_local_gets_encryption(host):
    assert engine_url(f"postgresql://{host}/todo").query["sslmode"] == "require"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", ""])
def test_a_local_host_is_left_alone(host):
    assert "sslmode" not in engine_url(f"postgresql://{host}/todo").query


@pytest.mark.parametrize(
    ("query", "local"),
    [("host=/var/run/postgresql", True), ("host=127.0.0.1", True), ("host=db.example", False)],
)
def test_a_host_in_the_query_counts(query, local):
    assert ("sslmode" not in engine_url(f"postgresql:///todo?{query}").query) == local


@pytest.mark.parametrize("mode", ["disable", "prefer", "verify-full"])
def test_a_mode_that_the_url_names_is_kept(mode):
    assert engine_url(f"postgres://db.example/todo?sslmode={mode}").query["sslmode"] == mode


def test_a_password_with_special_characters_survives():
    url = engine_url("postgres://al%40ice:p%40ss%2Fw%3Ard@db.example/todo")

    assert (url.username, url.password, url.host) == ("al@ice", "p@ss/w:rd", "db.example")


def test_a_relative_sqlite_path_is_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert engine_url("sqlite:///data/todo.db").database == str(tmp_path / "data" / "todo.db")


def test_an_absolute_sqlite_path_is_kept():
    url = engine_url("sqlite:////var/lib/todo.db")

    assert (url.drivername, url.database) == ("sqlite+pysqlite", "/var/lib/todo.db")
    assert not is_postgresql(url)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_sqlite_in_memory_is_refused(url):
    assert error_of(url) == "DATABASE_URL: SQLite needs the path of a file; write sqlite:///path"


@pytest.mark.parametrize("url", ["", "nonsense", "/var/lib/todo.db", "://db/todo", "postgresql"])
def test_what_is_no_url_is_refused(url):
    assert error_of(url) == (
        "DATABASE_URL: not a database URL; write postgresql://user:password@host/name "
        "or sqlite:///path"
    )


@pytest.mark.parametrize(
    "driver",
    [
        "mysql",
        "mysql+pymysql",
        "oracle",
        "postgresql+asyncpg",
        "postgresql+psycopg",
        "sqlite+aiosqlite",
    ],
)
def test_another_database_is_refused(driver):
    assert error_of(f"{driver}://u:secret@db/todo") == (
        f"DATABASE_URL: {driver!r} is not supported; use postgresql or sqlite"
    )


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("db:99999/todo", "the port is not a number from 1 to 65535"),
        (
            "db/todo?pgbouncer=true",
            'invalid connection option "pgbouncer"; remove the option from the URL',
        ),
        (
            "db/todo?sslmode=sometimes",
            "sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full",
        ),
    ],
)
def test_what_libpq_would_refuse_at_every_connection_is_refused_at_start(url, reason):
    assert error_of(f"postgresql://u:secret@{url}") == f"DATABASE_URL: {reason}"


def test_an_option_of_libpq_is_kept():
    url = engine_url("postgresql://db/todo?options=-csearch_path%3Dtodo&host=a:1&host=b:2")

    assert url.query["options"] == "-csearch_path=todo"
    assert url.query["host"] == ("a:1", "b:2")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:secret@db:port/todo",
        "mysql://u:secret@db/x",
        "postgresql://u:pa@secret@db/x",
        "postgresql://u:pa@secret/word@db/x",
        "postgresql://u:pa@ss?secret@db/x",
        "postgresql://db/x?user=u&password=pa@secret@",
        "postgresql://db/x?user=u&password=pa&secret=1",
        "postgresql://u:secret%00@db/x",
        "postgresql://u:secret",  # read as a port
        "postgresql://u:secret/x",
    ],
)
def test_a_refusal_does_not_tell_the_password(url):
    assert "secret" not in error_of(url)


def test_a_password_of_digits_where_a_port_belongs_is_not_told():
    assert "7654321" not in error_of("postgresql://u:7654321/x")


@pytest.mark.parametrize("url", ["u:pa@ss@db/x", "u:p@s/s@db/x", "u@x:pass@db/x"])
def test_a_url_with_a_second_at_sign_is_refused_with_what_to_write(url):
    assert error_of(f"postgresql://{url}") == (
        "DATABASE_URL: has more than one @; percent-encode user and password, so that only the one"
        " before the host is left: @ is %40, / is %2F, : is %3A, # is %23, % is %25"
    )


def test_a_sqlite_path_may_have_at_signs():
    assert engine_url("sqlite:////srv/a@b/c@d.db").database == "/srv/a@b/c@d.db"


@pytest.mark.parametrize("url", ["postgresql://localhost/todo", "sqlite:///todo.db"])
def test_there_are_as_many_connections_as_threads_and_none_waits_for_long(url):
    options = engine_options(engine_url(url), threads=5)

    assert (options["pool_size"], options["max_overflow"]) == (5, 0)
    assert options["pool_timeout"] <= 3
    assert options["isolation_level"] == "AUTOCOMMIT"
    assert options["hide_parameters"] is True
