"""Copies of a SQLite database by SQLite's online backup API, while others read and write it.

A copy is the database of one moment. Writers go on meanwhile: in WAL a copy is made like a long
read. A copy into a database that is in use is one transaction of it: whoever reads sees all of it
or nothing of it, and a copy that fails or is killed leaves the database as it was.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from todo.settings.instance_folder import private_file

BUSY_SECONDS: Final = 60.0
"""How long a copy waits for others who write."""
_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class BackupError(Exception):
    """Nothing was changed; the text is one line that says why, and what to do."""


@contextmanager
def draft_beside(path: Path, *, make_folder: bool = False) -> Iterator[Path]:
    """Give an empty file in a private folder beside ``path``; the folder goes with the block.

    The folder of ``path`` exists, or is made. Raises :class:`BackupError` for what SQLite or the
    system says meanwhile.
    """
    try:
        if make_folder:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
            draft = Path(folder) / path.name
            private_file(draft)
            yield draft
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def copy(source: Path, draft: Path) -> None:
    """Copy the database at ``source`` into the ``draft``, one file that is whole.

    Raises :class:`BackupError` for what is no database, and for one that is damaged.
    """
    try:
        with closing(_open(source, "ro")) as old, closing(_open(draft, "rw")) as new:
            old.backup(new, progress=_patience())
            new.execute("PRAGMA journal_mode = DELETE")
            [(found,)] = new.execute("PRAGMA quick_check(1)")
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            raise
        raise BackupError(f"{source}: {error}") from error
    if found != "ok":
        raise BackupError(f"{source}: the database is damaged: {found.splitlines()[-1]}")


def publish(draft: Path, path: Path) -> None:
    """Let the ``draft`` appear as ``path``, whole and safely on the disk, unless that exists.

    Raises :class:`BackupError` when it exists.
    """
    _sync(draft)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise BackupError(f"{path}: exists already; name a new file") from None
    _sync(path.parent)


def replace(target: Path, draft: Path) -> None:
    """Put what is in the ``draft`` into the database at ``target``, in one transaction of it.

    The database is made where there is none. Raises :class:`BackupError`.
    """
    try:
        private_file(target)
        with closing(_open(draft, "rw")) as new, closing(_open(target, "rw")) as old:
            old.execute("PRAGMA journal_mode = WAL")
            new.backup(old, progress=_patience())
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (sqlite3.Error, OSError) as error:
        advice = ""
        if getattr(error, "sqlite_errorcode", 0) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            advice = "; stop the server, move the file away, and restore again"
        raise BackupError(f"{target}: {error}{advice}") from error


def _open(path: Path, mode: str) -> sqlite3.Connection:
    # A short wait: SQLite gives up after it, and `_patience` counts the waits.
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=1.0)


def _patience() -> Callable[[int, int, int], None]:
    """Return what Python calls after each step of a copy: it ends one that waits too long."""
    until = time.monotonic() + BUSY_SECONDS

    def step(status: int, _remaining: int, _pages: int) -> None:
        if status in _BUSY and time.monotonic() > until:
            raise sqlite3.OperationalError("the database is busy; try again")

    return step


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
