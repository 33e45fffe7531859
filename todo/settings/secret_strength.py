"""The strength of a shared secret: long enough, not one character, not publicly known."""

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
    """Return in a few words why ``secret`` is weak, ``None`` if it is strong.

    The words never contain the secret.
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
