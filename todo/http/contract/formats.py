"""The contract's own vocabulary: formats of strings, and a keyword, that JSON Schema lacks.

What they mean is the services' business; here they become part of what is checked before a
handler is called.
"""

from collections.abc import Callable
from typing import Any, Final

from todo.sync import cursors
from todo.sync.sync_tokens import Place
from todo.values.dates import date_or_instant, instant, zone
from todo.values.revisions import id_or_none, instant_or_revision
from todo.values.text_keys import are_unique, is_visible, search_words


def _parses(parse: Callable[[str], Any]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check


FORMATS: Final[dict[str, Callable[[str], bool]]] = {
    "cursor": _parses(cursors.decode),
    "date-or-instant": _parses(date_or_instant),
    "id-or-none": _parses(id_or_none),
    "instant": _parses(instant),
    "instant-or-revision": _parses(instant_or_revision),
    "sync-token": _parses(Place.of),
    "time-zone": _parses(zone),
    "visible": is_visible,
    "words": _parses(search_words),
}
"""Formats of strings, and what tells whether a string has one."""


class WholeNumber:
    """The keyword ``x-integer``: ``1.0`` is no integer, as in OpenAPI 3.0 (JSON Schema draft 4).

    Later drafts take it for one, and a handler would get a float.
    """

    NAME: Final = "x-integer"

    def __init__(self, _parent: object, _value: object, _path: object) -> None:
        """Take what jsonschema-rs gives a keyword."""

    def validate(self, instance: Any) -> None:
        """Raise :class:`ValueError` for a float that has no fraction; ``type`` says the rest."""
        if isinstance(instance, float) and instance.is_integer():
            raise ValueError(self.NAME)


class UniqueWithoutCase:
    """The keyword ``x-unique: without-case``: an array has no string twice, in whatever case.

    Keywords are checked side by side. So this one, which folds text and is dear, leaves alone what
    is larger than the array and the strings that the others let through.
    """

    NAME: Final = "x-unique"

    def __init__(self, parent: dict[str, Any], _value: object, _path: object) -> None:
        """Take what jsonschema-rs gives a keyword; ``without-case`` is its only value."""
        self._items = parent["maxItems"]
        self._length = parent["items"]["maxLength"]

    def validate(self, instance: Any) -> None:
        """Raise :class:`ValueError` for an array of strings that has one twice."""
        if not isinstance(instance, list) or len(instance) > self._items:
            return
        small = all(isinstance(item, str) and len(item) <= self._length for item in instance)
        if small and not are_unique(instance):
            raise ValueError(self.NAME)
