"""A setting is a field of a dataclass, set by the environment variable of its name in capitals.

``setting`` declares one. Its default, its bounds and its meaning stand there and nowhere else:
``docs/configuration.md`` and ``.env.example`` are made from them (:mod:`todo.settings.reference`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, Self

from todo.settings.configuration_error import ConfigurationError
from todo.settings.readers import Reader


@dataclass(frozen=True)
class Variable:
    """What is known of the environment variable ``name``.

    ``default`` is what it would say to mean its default, ``None`` if it can say no such thing;
    then ``unset`` tells what applies while it is unset. ``example`` is a value to show.
    """

    name: str
    reader: Reader
    meaning: str
    default: str | None
    unset: str | None
    example: str | None

    @classmethod
    def of(cls, declared: Field[Any]) -> Self:
        """Return the variable of a field that :func:`setting` has ``declared``."""
        return cls(
            declared.name.upper(), default=_as_text(declared.default), **declared.metadata["known"]
        )

    def read(self, environment: Mapping[str, str]) -> Any:
        """Return the value in ``environment``, ``None`` where the variable is unset or blank.

        Raises :class:`ConfigurationError`.
        """
        text = environment.get(self.name, "").strip()
        try:
            text.encode()
        except UnicodeEncodeError:  # how Python shows bytes that are not UTF-8
            raise ConfigurationError(f"{self.name}: is not UTF-8") from None
        return self.reader(self.name, text) if text else None


def setting(
    default: Any,
    meaning: str,
    reader: Reader,
    *,
    unset: str | None = None,
    example: str | None = None,
    private: bool = False,
) -> Any:
    """Declare a setting; a callable ``default`` is called for each instance.

    ``meaning`` is one or more sentences in Markdown. ``unset`` tells what applies while the
    variable is unset, where ``default`` does not. A ``private`` setting is left out of ``repr``.
    """
    known = {"reader": reader, "meaning": meaning, "unset": unset, "example": example}
    options: dict[str, Any] = {"repr": not private, "metadata": {"known": known}}
    if callable(default):
        return field(default_factory=default, **options)
    return field(default=default, **options)


def variables(settings: type) -> Iterator[Variable]:
    """Yield the variables of the dataclass ``settings``, in the order of their declaration."""
    yield from map(Variable.of, fields(settings))


def _as_text(default: Any) -> str | None:
    if default in (None, MISSING):
        return None
    if isinstance(default, tuple):
        return ",".join(default)
    return str(default)
