"""Settings of the database: where it is, and where its tables are."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from todo.settings.configuration_error import ConfigurationError
from todo.settings.readers import Folder, Text
from todo.settings.variable import setting

_SCHEMA = re.compile("[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """Which database the server works with.

    ``database_url`` of ``None`` means the embedded database: SQLite in ``instance_path``.
    """

    database_url: str | None = setting(
        None,
        "The database. `postgres://` and `postgresql://` mean the same. A host that is not local "
        "gets `sslmode=require`.",
        Text("a URL of PostgreSQL or SQLite"),
        unset="the embedded database: SQLite in `INSTANCE_PATH`, which is migrated at start",
        example="'postgresql://user:password@ep-example.neon.tech/todo?sslmode=require'",
        private=True,
    )
    migration_database_url: str | None = setting(
        None,
        "A direct URL for `todo migrate`, for a `DATABASE_URL` that leads through a pooler.",
        Text("a URL of PostgreSQL or SQLite"),
        unset="`DATABASE_URL`",
        private=True,
    )
    database_schema: str | None = setting(
        None,
        "The schema of PostgreSQL that the tables are in, for a database that is shared. "
        "`todo migrate` makes it.",
        Text("lower case letters, digits and `_`, at most 63"),
        unset="where the `search_path` of the connection leads, usually `public`",
        example="todo",
    )
    instance_path: Path = setting(
        Path("instance"),
        "The folder of the embedded database and of its secret, both with mode 0600. A relative "
        "path starts at the current folder.",
        Folder(),
    )

    @property
    def embedded(self) -> bool:
        """Whether the database is the embedded one, which migrates itself at start."""
        return self.database_url is None

    @property
    def sqlalchemy_url(self) -> str:
        """The database that requests are served from, as the operator wrote it."""
        embedded = self.instance_path.resolve() / "todo.db"
        return self.database_url or f"sqlite:///{quote(str(embedded))}"

    def check_database(self) -> None:
        """Raise :class:`ConfigurationError` for a schema that the database cannot have."""
        name = self.database_schema
        if name is None:
            return
        if not _SCHEMA.fullmatch(name) or name.startswith("pg_") or name == "information_schema":
            raise ConfigurationError(
                f"DATABASE_SCHEMA: {name[:100]!r} cannot be a schema of this API's; write lower "
                "case letters, digits and _, at most 63, as in 'todo'; pg_* and "
                "information_schema are PostgreSQL's own"
            )
        if (self.database_url or "sqlite:").startswith("sqlite"):
            raise ConfigurationError(
                "DATABASE_SCHEMA: only PostgreSQL has schemas, and the database is SQLite; take "
                "it away, or set DATABASE_URL"
            )
