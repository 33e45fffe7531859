"""Statements that are compiled once: `todo.database.prepared`."""

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.conftest import Service
from tests.integration.application import engine_of
from todo.column_types import Instant, Priority
from todo.database.prepared import execute
from todo.models import db

MOMENT = "2026-01-01T00:00:00.123Z"
_made = sa.MetaData()
things = sa.Table(
    "things",
    _made,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("priority", Priority),
    sa.Column("tags", sa.JSON),
    sa.Column("size", sa.Integer, sa.CheckConstraint("size > 0", name="size")),
)
_NAMES = tuple(column.name for column in things.columns)
ADD = sa.insert(things).values({name: sa.bindparam(f"new_{name}") for name in _NAMES})
OF = sa.select(things).where(things.c.id == sa.bindparam("of_id"))
SOME = sa.select(things.c.id).where(things.c.id.in_(sa.bindparam("ids", expanding=True)))
FIXED = sa.select(things.c.id, sa.literal("100%").label("text")).where(things.c.size == 1)


def thing(number: int, **more: object) -> dict[str, object]:
    values = {"id": number, "at": MOMENT, "priority": "high", "tags": ["a", "é"], "size": 1}
    return {f"new_{name}": value for name, value in (values | more).items()}


@pytest.fixture
def connection(service: Service):
    """A connection of the application's, to a database that has things."""
    with service.application.flask.app_context():
        _made.create_all(db.engine)
        with db.engine.connect() as connection:
            yield connection
        _made.drop_all(db.engine)


def test_values_are_written_and_read_by_their_types(connection):
    assert execute(connection, ADD, thing(1)) == ()
    [row] = execute(connection, OF, {"of_id": 1})

    assert row._asdict() == {
        "id": 1,
        "at": MOMENT,
        "priority": "high",
        "tags": ["a", "é"],
        "size": 1,
    }
    assert tuple(row) == tuple(connection.execute(OF, {"of_id": 1}).one())


def test_null_is_null_and_a_percent_sign_is_itself(connection):
    execute(connection, ADD, thing(1, priority=None, size=None))
    execute(connection, ADD, thing(2))

    assert execute(connection, OF, {"of_id": 1})[0].priority is None
    assert [tuple(row) for row in execute(connection, FIXED, {})] == [(2, "100%")]


def test_as_many_values_as_there_are_go_into_a_list(connection):
    for number in (1, 2, 3):
        execute(connection, ADD, thing(number))

    assert [row.id for row in execute(connection, SOME, {"ids": [1, 3]})] == [1, 3]
    assert execute(connection, SOME, {"ids": []}) == []


def test_an_error_is_sqlalchemys_and_tells_no_values(connection):
    with pytest.raises(IntegrityError) as refused:
        execute(connection, ADD, thing(1, size=-7))

    assert "-7" not in str(refused.value).partition("DETAIL")[0]
    assert not refused.value.connection_invalidated


def test_a_connection_that_is_lost_leaves_the_pool(service_of):
    kill = sa.select(sa.func.pg_terminate_backend(sa.func.pg_backend_pid()))
    service = service_of("postgresql")
    with service.application.flask.app_context(), db.engine.connect() as connection:
        with pytest.raises(OperationalError) as lost:
            execute(connection, kill, {})

        assert lost.value.connection_invalidated
        assert connection.invalidated


def test_whoever_listens_to_the_engine_sees_every_statement(connection, service):
    seen: list[str] = []

    def note(_c: object, _u: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(engine_of(service), "before_cursor_execute", note)
    try:
        execute(connection, OF, {"of_id": 1})
    finally:
        event.remove(engine_of(service), "before_cursor_execute", note)

    assert [text.split()[0] for text in seen] == ["SELECT"]
