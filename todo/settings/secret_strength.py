"""What makes a shared secret no secret: too short, one character, or known to everybody."""

import re
from functools import cache
from importlib.resources import files
from typing import Final

MIN_BYTES: Final = 32
"""An HS256 key is at least as long as the hash (RFC 7518, section 3.2)."""

_PLACEHOLDER: Final = re.compile(
    r"change.?me|change.?this|change.?in.?prod|replace.?(me|this|with)|"
    r"your.{0,12}secret|secret.?key.?here|example.?secret",
    re.IGNORECASE,
)


def weakness(secret: str) -> str | None:
    """Return what is wrong with ``secret`` in a few words, ``None`` if nothing is.

    The words never hold the secret.
    """
    if len(secret.encode()) < MIN_BYTES:
        return f"shorter than {MIN_BYTES} bytes"
    if len(set(secret)) == 1:
        return "one repeated character"
    if _plain(secret) in _known() or _PLACEHOLDER.search(secret):
        return "publicly known, from an example or a default"
    return None


@cache
def _known() -> frozenset[str]:
    lines = (files("todo.settings") / "known_secrets.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(_plain(line) for line in lines if line and not line.startswith("#"))


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())
