"""The instance folder of the embedded default: its database, and a secret made once."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def instance_secret(folder: Path) -> str:
    """Return the secret kept in ``folder``, making it (mode 0600) where there is none.

    Two processes that start at once agree on one: the file appears whole, by a hard link, and
    the loser reads the winner's.
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
    return path.read_text().strip()
