"""How text compares: one form, computed here, so that both databases sort alike."""

import unicodedata

from todo.models import TITLE_KEY_LENGTH


def fold(text: str) -> str:
    """Return ``text`` without its case and compatibility variants (Unicode TR 15 and 21).

    NFKC, casefold, NFKC again is the only order of the three that is stable: folding twice
    changes nothing. The result can be 18 times as long as ``text``.
    """
    normal = unicodedata.normalize("NFKC", text)
    return unicodedata.normalize("NFKC", normal.casefold())


def title_key(title: str) -> str:
    """Return what titles are sorted by: the first 200 characters of the folded title."""
    return fold(title)[:TITLE_KEY_LENGTH]
