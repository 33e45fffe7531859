"""How the text of an environment variable becomes the value of a setting.

A reader takes the variable's name and its text, which is not blank, and returns the value. It
raises :class:`ConfigurationError`, which names the variable. Its ``values`` say in a few words what
the text may be.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from todo.settings.configuration_error import ConfigurationError


class Reader(Protocol):
    """What every reader has."""

    @property
    def values(self) -> str:
        """What the text may be, in Markdown."""

    def __call__(self, name: str, text: str) -> Any:
        """Return the value that ``text`` stands for."""


@dataclass(frozen=True)
class Text:
    """Any text, as it is."""

    values: str

    def __call__(self, name: str, text: str) -> str:
        """Return ``text``."""
        return text


@dataclass(frozen=True)
class Folder:
    """The path of a folder."""

    values: str = "a folder"

    def __call__(self, name: str, text: str) -> Path:
        """Return the path."""
        return Path(text)


@dataclass(frozen=True)
class Items:
    """Several texts, separated by commas."""

    words: str

    @property
    def values(self) -> str:
        """What the texts are."""
        return f"{self.words}, separated by commas"

    def __call__(self, name: str, text: str) -> tuple[str, ...] | None:
        """Return the texts without blank ones, ``None`` if there are no others."""
        return tuple(filter(None, (item.strip() for item in text.split(",")))) or None


@dataclass(frozen=True)
class Integer:
    """A whole number from ``low`` to ``high``."""

    low: int
    high: int

    @property
    def values(self) -> str:
        """The bounds."""
        return f"{self.low} to {self.high}"

    def __call__(self, name: str, text: str) -> int:
        """Return the number."""
        if not text.isdecimal() or not self.low <= int(text[:20]) <= self.high:
            raise ConfigurationError(
                f"{name}: {text[:40]!r} is not a whole number from {self.values}"
            )
        return int(text)


@dataclass(frozen=True)
class Choice:
    """One of ``choices``, in any case."""

    choices: tuple[str, ...]

    @property
    def values(self) -> str:
        """The choices."""
        return ", ".join(f"`{choice}`" for choice in self.choices)

    def __call__(self, name: str, text: str) -> str:
        """Return the choice, in lower case."""
        choice = text.lower()
        if choice not in self.choices:
            raise ConfigurationError(
                f"{name}: {choice[:40]!r} is not one of {', '.join(self.choices)}"
            )
        return choice


@dataclass(frozen=True)
class Boolean:
    """``true`` or ``false``, in any case."""

    values: str = "`true`, `false`"

    def __call__(self, name: str, text: str) -> bool:
        """Return the truth value."""
        return Choice(("true", "false"))(name, text) == "true"
