"""Alembic's environment: runs migrations on the connection that ``todo.database.schema`` opened."""

from alembic import context
from alembic.runtime.migration import MigrationContext

from todo.migrations.steps import commit
from todo.models import VERSION_TABLE, Base

# Better Auth may keep its tables in the same database: what is not ours is not ours to compare.
OURS = frozenset(Base.metadata.tables)


def include_name(name: str | None, kind: str, parents: object) -> bool:  # noqa: ARG001
    """Leave out tables that this project does not own."""
    return kind != "table" or name in OURS


def _end_of_step(ctx: MigrationContext, *_: object, **__: object) -> None:
    assert ctx.connection is not None  # noqa: S101 - nothing is migrated without one
    commit(ctx.connection)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=include_name,
    version_table=VERSION_TABLE,
    compare_type=True,
    render_as_batch=True,
    # ``schema.migrate`` has opened the transaction, and ends it.
    transactional_ddl=False,
    on_version_apply=_end_of_step,
)
context.run_migrations()
