"""How text compares: one form, computed here, so that both databases sort and search alike."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

TITLE_KEY_LENGTH: Final = 200
"""Characters of a title that count when titles are sorted. It keeps the key within a third of a
B-tree page: case folding and NFKC can make a title 18 times as long."""
SEPARATOR: Final = "\n"
"""Stands around every tag in a key, and between title and description; no tag has it, and no word
of a search."""


MAX_WORDS: Final = 10
"""Words of one search: each is looked for in every one of the user's tasks."""

# Default_Ignorable_Code_Point of Unicode 16.0 (DerivedCoreProperties.txt), which `unicodedata`
# lacks: joiners, soft hyphens, variation selectors, marks of direction, zero-width spaces, tags.
_IGNORABLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_DOTTED_I: Final = re.compile("i\u0307+")


def fold(text: str) -> str:
    """Return ``text`` without case, compatibility variants and what nobody sees.

    Characters that are ignorable by default are dropped, then come NFKC, casefold and NFKC (Unicode
    TR 15 and 21), and an i loses its dot above, which is all that is left of an İ. Folding twice
    changes nothing. The result can be 18 times as long as ``text``, and it can be empty.
    """
    if text.isascii():
        return text.lower()
    caseless = _caseless(_IGNORABLE.sub("", text))
    return unicodedata.normalize("NFKC", _DOTTED_I.sub("i", caseless))


def email_key(email: str) -> str:
    """Return what an account is found by: the e-mail without case and compatibility variants.

    An ignorable character counts here: two addresses that differ in one may be two people's.
    """
    return _caseless(email)


def _caseless(text: str) -> str:
    """NFKC, casefold, NFKC again is the only order of the three that is stable."""
    normal = unicodedata.normalize("NFKC", text)
    return unicodedata.normalize("NFKC", normal.casefold())


def is_visible(text: str) -> bool:
    """Whether ``text`` has a character that is neither a space nor ignorable by default.

    Text of white space alone counts as visible: a pattern refuses it, with an error of its own, and
    takes U+FEFF for white space (ECMA 262).
    """
    return not text.replace("\ufeff", " ").strip() or bool(fold(text).strip())


def title_key(title: str) -> str:
    """Return what titles are sorted by: the first 200 characters of the folded title."""
    return fold(title)[:TITLE_KEY_LENGTH]


def search_key(title: str, description: str | None) -> str:
    """Return what searches look into: title and description, folded."""
    return f"{fold(title)}{SEPARATOR}{fold(description or '')}"


def words(search: str) -> list[str]:
    """Return the words of a search as they stand in a search key: each once, in order."""
    return sorted(set(fold(search).split()))


def search_words(search: str) -> list[str]:
    """Return the words of a search; raises :class:`ValueError` for none, and for too many."""
    found = words(search)
    if not 1 <= len(found) <= MAX_WORDS:
        raise ValueError(search)
    return found


def keys_in(tags_key: str) -> list[str]:
    """Return the folded tags that a key of tags is made of, in their order."""
    return tags_key.split(SEPARATOR)[1:-1]


def tags_key(tags: Sequence[str]) -> str:
    """Return the folded tags, each between two separators; ``""`` for none."""
    return key_of([fold(tag) for tag in tags])


def key_of(folded: Sequence[str]) -> str:
    """Return the key of tags that are ``folded`` already."""
    return f"{SEPARATOR}{SEPARATOR.join(folded)}{SEPARATOR}" if folded else ""


def tag_in_key(tag: str) -> str:
    """Return what a key of tags holds exactly when ``tag`` is one of them."""
    return tags_key([tag])


def are_unique(tags: Sequence[str]) -> bool:
    """Whether no tag occurs twice, compared without case."""
    return len({fold(tag) for tag in tags}) == len(tags)
