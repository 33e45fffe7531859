"""The settings for people: tables for ``docs/configuration.md``, and ``.env.example``.

Both are made from the declarations of the settings. ``python -m todo.settings`` renews them.
"""

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from todo.settings.authentication import AuthenticationSettings
from todo.settings.database import DatabaseSettings
from todo.settings.limits import LimitSettings
from todo.settings.server import ServerSettings
from todo.settings.variable import Variable, variables

SUBJECTS: Final = {
    "Server": ServerSettings,
    "Database": DatabaseSettings,
    "Authentication": AuthenticationSettings,
    "Limits": LimitSettings,
}
"""The dataclass of each subject, by its heading."""

BEGIN: Final = "<!-- settings: made by 'python -m todo.settings' -->"
END: Final = "<!-- end of the settings -->"
"""The lines that the tables stand between."""

_WIDTH: Final = 100
_HEAD: Final = """\
# Every setting is an environment variable; these are all of them, with their defaults.
# Nothing reads this file by itself: `set -a; . ./.env; set +a` before `todo serve`, or hand it to
# your process manager. For a shell, keep URLs and secrets in single quotes: an & would end the
# line. `python -m todo.settings` makes this file from the settings of the program.
"""


def tables() -> str:
    """Return a heading and a table in Markdown for each subject."""
    return "\n".join(_table(subject, of) for subject, of in SUBJECTS.items())


def with_tables(page: str) -> str:
    """Return ``page`` with today's tables between its marks; raises ``ValueError`` without them."""
    before, old = page.split(BEGIN)
    _, after = old.split(END)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def example() -> str:
    """Return the text of ``.env.example``."""
    return "\n".join([_HEAD, *(_section(subject, of) for subject, of in SUBJECTS.items())])


def _table(subject: str, settings: type) -> str:
    rows = [
        f"### {subject}",
        "",
        "| variable | default | values | meaning |",
        "|---|---|---|---|",
        *(_row(variable) for variable in variables(settings)),
    ]
    return "\n".join(rows) + "\n"


def _row(variable: Variable) -> str:
    default = variable.unset or (f"`{variable.default}`" if variable.default else "none")
    cells = (f"`{variable.name}`", default, variable.reader.values, variable.meaning)
    return f"| {' | '.join(cells)} |"


def _section(subject: str, settings: type) -> str:
    lines = [line for variable in variables(settings) for line in _lines(variable)]
    return "\n".join([f"# --- {subject}", "", *lines])


def _lines(variable: Variable) -> Iterator[str]:
    values = f"Values: {variable.reader.values}."
    if variable.unset is not None:
        values += f" Default: {variable.unset}."
    for text in (variable.meaning, values):
        yield from wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")
    yield f"{_assignment(variable)}\n"


def _assignment(variable: Variable) -> str:
    """An assignment of anything but the default is commented out."""
    if variable.example or variable.unset:
        return f"#{variable.name}={variable.example or ''}"
    return f"{variable.name}={variable.default or ''}"
