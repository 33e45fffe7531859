"""The instance folder: private files (mode 0600), which are SQLite databases and one secret."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile, mkstemp


def instance_secret(folder: Path, made: Callable[[Path], object] = lambda _path: None) -> str:
    """Return the secret in ``folder``; make it, with mode 0600, where there is none.

    ``made`` is called with the file's path if this call made the file.

    Two processes that start at once agree on one secret: the file appears whole, by a hard link,
    and the second process reads the file of the first: ``made`` is called in the first alone.
    """
    path = folder / "secret"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=folder, prefix=".secret-") as draft:  # mode 0600
            draft.write(secrets.token_urlsafe(48))
            draft.flush()
            os.fsync(draft.fileno())
            with suppress(FileExistsError):
                path.hardlink_to(draft.name)
                made(path)
    return path.read_text().strip()


def private_file(path: Path) -> None:
    """Make an empty file (mode 0600) at ``path`` unless something is there; raises OSError.

    The file appears by a hard link to a draft that is closed already: closing a file that SQLite
    has open in this process would end SQLite's locks on it.
    """
    if path.exists():
        return
    descriptor, draft = mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    os.close(descriptor)
    try:
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        Path(draft).unlink()


def make_private(database: Path) -> None:
    """Give a SQLite ``database`` and its log, where they exist, the mode 0600."""
    for suffix in ("", "-wal", "-shm"):
        path = database.with_name(f"{database.name}{suffix}")
        with suppress(OSError):  # not there, or another user's
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)
