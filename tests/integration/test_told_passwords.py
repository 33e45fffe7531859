"""No command tells any part of a database's password, however it stands in the URL."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.depth import examples
from tests.integration.server import postgresql_settings, run_todo
from tests.servers.process import free_port
from todo.cli.main import main
from todo.settings.configuration_error import ConfigurationError

PART = 4
COMMANDS = (
    ("migrate",),
    ("doctor",),
    ("purge",),
    ("demo-data", "--tasks", "1"),
    ("import-tasks", "--from", "public.tasks"),
    ("advance-revisions",),
    ("backup", "/nowhere/todo.db"),
    ("restore", "/nowhere/todo.db"),
    ("token", "--sub", "alice"),
)
URLS = (
    "postgresql://todo:{}@127.0.0.1:1/todo",
    "postgresql://todo:{}@127.0.0.1:1/todo?connect_timeout=2",
    "postgresql://todo@127.0.0.1:1/todo?password={}",
    "postgresql:///todo?host=127.0.0.1&port=1&user=todo&password={}",
    "mysql://todo:{}@127.0.0.1:1/todo",
)
"""Where a password can stand; nobody listens on port 1. The last one is of no database here."""
WITHOUT_A_HOST = ("postgresql://todo:{}", "postgresql://todo:{}/todo")
"""Mistakes: what was meant as the password stands where a port does."""

# What URLs give a meaning to comes often; what the commands say themselves does not come at all.
LETTERS = "QXZKVWqxzkvw987"
PASSWORDS = st.text(
    st.sampled_from(f"{LETTERS}@@@///:::###%%%???&&&===[]++;, é\n\"'\\"), min_size=6
)


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def output_of(command: tuple[str, ...], url: str) -> str:
    """All that a command says, be it a traceback."""
    with environment(**postgresql_settings(url), LOG_FORMAT="console", PGCONNECT_TIMEOUT="2"):
        run = CliRunner().invoke(main, command)
    error = run.exception
    if isinstance(error, ConfigurationError | SystemExit):
        error = str(error)  # what the interpreter prints
    return f"{run.output}{error!r}"


@cache
def harmless_output_of(command: tuple[str, ...], url: str) -> str:
    return output_of(command, url.format("..."))


def parts(password: str) -> set[str]:
    """Every piece of the password, as it is and as `repr` and URLs write it."""
    spellings = {password, repr(password)[1:-1], quote(password, safe=""), quote(password)}
    return {
        text[start : start + PART] for text in spellings for start in range(len(text) - PART + 1)
    }


@settings(
    max_examples=examples(100, in_ci=1000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    command=st.sampled_from(COMMANDS),
    password=PASSWORDS,
    encoded=st.booleans(),
    url=st.sampled_from(URLS),
)
@example(command=COMMANDS[0], password="pa@QXZKVW", encoded=False, url=URLS[0])
@example(command=COMMANDS[0], password="QX@ZKVW/qxzk", encoded=False, url=URLS[0])
@example(command=COMMANDS[0], password="QX&ZKVWqx=1", encoded=False, url=URLS[2])
@example(command=COMMANDS[0], password="&QXZKVW=1", encoded=False, url=URLS[2])
@example(command=COMMANDS[0], password="\0QXZKVW", encoded=True, url=URLS[0])
def test_command_tells_no_part_of_a_password(command, password, encoded, url):
    logging.disable()
    try:
        harmless = harmless_output_of(command, url)
        told = output_of(command, url.format(quote(password, safe="") if encoded else password))
    finally:
        logging.disable(logging.NOTSET)

    assert {part for part in parts(password) if part in told and part not in harmless} == set()


@pytest.mark.parametrize("url", WITHOUT_A_HOST)
@pytest.mark.parametrize("password", ["QXZKVW", "0987098", "QXZ,ZKV&W=1"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_command_tells_no_part_of_a_password_without_a_host(command, password, url):
    told = output_of(command, url.format(password))

    assert {part for part in parts(password) if part in told} == set()


@pytest.mark.parametrize("command", [*COMMANDS, ("serve",)], ids=lambda command: command[0])
def test_command_refuses_a_url_with_a_second_at_sign_and_says_how_to_write_it(command, tmp_path):
    url = f"postgresql://todo:very@private/word@127.0.0.1:{free_port()}/todo"

    run = run_todo(*command, cwd=tmp_path, **postgresql_settings(url))

    if command[0] == "token":  # it has no use for a database
        assert run.returncode == 0
    else:
        assert (run.returncode, run.stdout) == (1, "")
        assert run.stderr.startswith("DATABASE_URL: has more than one @; percent-encode ")
        assert len(run.stderr.splitlines()) == 1
    assert "very" not in run.stderr
    assert "private" not in run.stderr


def test_a_url_in_place_of_a_table_is_not_told(new_database):
    with environment(**postgresql_settings(new_database("postgresql"))):
        run = CliRunner().invoke(main, ["import-tasks", "--from", "postgresql://u:QXZKVW@h/x"])

    assert "QXZKVW" not in f"{run.output}{run.exception!r}"
    assert "--from takes the name of a table" in str(run.exception)
