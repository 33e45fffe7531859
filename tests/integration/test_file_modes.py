"""SQLite's files are their owner's alone, whoever makes them, and under any umask."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import settings_for
from todo.database import schema
from todo.settings.settings import Settings

FILES = ("todo.db", "todo.db-shm", "todo.db-wal")


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """A umask that hides nothing."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in folder.iterdir()
        if path.name.startswith("todo.db")
    }


def embedded(folder: Path) -> Settings:
    return Settings(
        better_auth_secret="a-secret-of-the-modes-0000000000000000", instance_path=folder
    )


def test_embedded_database_and_its_log_are_their_owners_alone(serve, tmp_path):
    folder = tmp_path / "instance"
    service = serve(embedded(folder))
    service.client.get("/readyz")

    assert modes(folder) == dict.fromkeys(FILES, 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_embedded_database_that_others_could_read_is_tightened_at_the_start(serve, tmp_path):
    schema.migrate(f"sqlite:///{tmp_path / 'todo.db'}")
    (tmp_path / "todo.db").chmod(0o644)

    serve(embedded(tmp_path)).client.get("/readyz")

    assert modes(tmp_path) == dict.fromkeys(FILES, 0o600)


def test_database_that_todo_migrate_makes_is_its_owners_alone(tmp_path):
    schema.migrate(f"sqlite:///{tmp_path / 'todo.db'}")

    assert set(modes(tmp_path).values()) == {0o600}


def test_mode_that_the_operator_gave_a_file_of_a_url_is_kept(serve, tmp_path):
    url = f"sqlite:///{tmp_path / 'todo.db'}"
    schema.migrate(url)
    (tmp_path / "todo.db").chmod(0o640)

    serve(settings_for(url)).client.get("/readyz")

    assert modes(tmp_path)["todo.db"] == 0o640
