"""A second resource, made up: what ``todo.sync`` does for tasks, it does for any entity.

Notes have a table of their own and no counters; nothing in the product knows of them.
"""

from collections.abc import Callable, Iterator
from typing import Any, NotRequired, TypedDict

import pytest
import sqlalchemy as sa

from tests.api.expect import token_at
from tests.integration.tables import counters_of, rows
from todo.auth.user import User
from todo.column_types import Instant, collated_text
from todo.database.engine import maintenance_engine
from todo.problems import Problem
from todo.sync import cursors, reads, trash
from todo.sync.conditions import Condition
from todo.sync.etags import etag, etag_of
from todo.sync.pages import Listing, PageQuery, Window, read_page
from todo.sync.preconditions import Precondition
from todo.sync.resource import Resource
from todo.sync.runs import run
from todo.sync.sorts import Key, Sort, is_number
from todo.sync.sync_tokens import BEGINNING
from todo.sync.unit_of_work import UnitOfWork

MOMENT = "2026-01-01T00:00:00.000Z"
DELETED = "2026-02-01T00:00:00.000Z"
TITLES = ["b", None, "a", "B", None, "a", "c"]
"""The titles of the live notes, from id 1 on; notes 8 and 9 are in the trash."""
REVISION = 20


class Note(TypedDict):
    id: int
    user_id: str
    title: str | None
    created_at: str
    updated_at: str
    revision: int
    deleted_at: NotRequired[str | None]
    deleted_unit: NotRequired[int | None]


notes = sa.Table(
    "notes",
    sa.MetaData(),
    sa.Column("user_id", sa.Text, primary_key=True),
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("title", collated_text()),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("deleted_at", Instant),
    sa.Column("deleted_unit", sa.BigInteger),
)
ID, TITLE = Key(notes.c.id, is_number), Key(notes.c.title, lambda value: isinstance(value, str))
CREATED = Sort("created", (ID,), "desc")
UPDATED = Sort("updated", (Key(notes.c.revision, is_number),), "desc")
BY_TITLE = Sort("title", (TITLE, ID), "asc", nullable=True)
NOTES: Resource[Note] = Resource(
    kind="note",
    plural="notes",
    table=notes,
    shape=Note,
    not_found=lambda trashed: Problem("not_found", f"No such note{' in the trash' * trashed}"),
    sorts={"created": CREATED, "updated": UPDATED, "title": BY_TITLE},
    clauses={"title": lambda name: notes.c.title == sa.bindparam(name)},
)


def note(note_id: int, title: str | None = None, **more: Any) -> dict[str, Any]:
    """A note of alice's, as the API would show it."""
    times = {"created_at": MOMENT, "updated_at": MOMENT}
    return {"id": note_id, "user_id": "alice", "title": title, **times, "revision": note_id, **more}


LIVE = [note(note_id, title) for note_id, title in enumerate(TITLES, 1)]
DELETED_NOTES = [note(note_id, deleted_at=DELETED) for note_id in (8, 9)]
TRASHED = [{**one, "deleted_unit": None} for one in DELETED_NOTES]


@pytest.fixture(autouse=True)
def alice(database_url, service_on) -> Iterator[None]:
    """Inside of an application whose database has notes of alice, and one note of bob."""
    for user in ("alice", "bob"):
        rows(
            database_url,
            "INSERT INTO users (id, revision, open_tasks, done_tasks, trashed_tasks, created_at,"
            " updated_at) VALUES (:user, :revision, 0, 0, 0, '2026-01-01', '2026-01-01')",
            user=user,
            revision=REVISION,
        )
    engine = maintenance_engine(database_url)
    notes.metadata.create_all(engine)
    others = {**note(10, "bob's"), "user_id": "bob"}
    with engine.connect() as connection:
        for one in [*LIVE, *TRASHED, others]:
            connection.execute(sa.insert(notes).values(one))
    with service_on(database_url).application.flask.app_context():
        yield


def page(
    sort: Sort = CREATED,
    order: Any = None,
    cursor: str | None = None,
    *,
    trashed: bool = False,
    **more: Any,
) -> dict[str, Any]:
    """A page of two of alice's notes."""
    listing = Listing(NOTES, "alice", sort, order or sort.natural, trashed=trashed)
    window = Window.of(listing, skip=0, limit=2, cursor=cursor)
    return read_page(PageQuery(listing, window, **more))


def walk(**query: Any) -> Iterator[dict[str, Any]]:
    """All pages, by their cursors."""
    cursor = None
    while True:
        one = page(cursor=cursor, **query)
        yield one
        if (cursor := one["next_cursor"]) is None:
            return


def ids_of(*pages: dict[str, Any]) -> list[int]:
    return [one["id"] for page in pages for one in page["notes"]]


def refusal(call: Any) -> Problem:
    with pytest.raises(Problem) as raised:
        call()
    return raised.value


def test_a_page_has_whole_notes_their_total_and_the_revision_of_the_user():
    first = page()

    assert isinstance(first.pop("next_cursor"), str)
    assert first == {
        "notes": [LIVE[6], LIVE[5]],
        "total": 7,
        "limit": 2,
        "skip": 0,
        "revision": REVISION,
        "sync_token": token_at(REVISION),
    }
    assert list(first["notes"][0]) == list(NOTES.names)


@pytest.mark.parametrize(
    ("sort", "order", "expected"),
    [
        ("created", None, [7, 6, 5, 4, 3, 2, 1]),
        ("created", "asc", [1, 2, 3, 4, 5, 6, 7]),
        ("title", None, [4, 3, 6, 1, 7, 2, 5]),  # by code point; those without a title come last
        ("title", "desc", [7, 1, 6, 3, 4, 5, 2]),
    ],
)
def test_the_pages_of_a_cursor_join_to_the_whole_list_in_its_order(sort, order, expected):
    pages = list(walk(sort=NOTES.sorts[sort], order=order))

    assert ids_of(*pages) == expected
    assert [len(one["notes"]) for one in pages] == [2, 2, 2, 1]
    assert {one["total"] for one in pages} == {7}


def test_a_condition_narrows_the_list_and_its_total():
    narrowed = page(conditions=[Condition("title", "a")])

    assert (ids_of(narrowed), narrowed["total"], narrowed["next_cursor"]) == ([6, 3], 2, None)


def test_a_total_that_nobody_asks_for_is_null():
    assert page(total=False)["total"] is None


def test_the_trash_has_the_deleted_notes_with_the_moment_of_their_deletion():
    trash = page(UPDATED, trashed=True)

    assert (trash["notes"], trash["total"], trash["next_cursor"]) == (TRASHED[::-1], 2, None)


def test_the_cursor_of_another_list_and_one_that_is_no_position_are_refused():
    cursor = page()["next_cursor"]
    forged = cursors.decode(page(BY_TITLE)["next_cursor"])._replace(position=[7, 1])

    for sort, text in ((BY_TITLE, cursor), (BY_TITLE, cursors.encode(forged))):
        assert refusal(lambda s=sort, t=text: page(s, cursor=t)).code == "validation_failed"


def test_a_live_note_is_got_with_its_etag():
    got = reads.get(NOTES, "alice", 1)

    assert got == LIVE[0]
    assert etag_of(got) == etag("alice", f"1 {MOMENT}")


@pytest.mark.parametrize("note_id", [8, 10, 11])
def test_a_note_that_is_trashed_or_another_users_or_absent_is_not_found(note_id):
    problem = refusal(lambda: reads.get(NOTES, "alice", note_id))

    assert (problem.code, problem.status_code, problem.detail) == ("not_found", 404, "No such note")


def test_a_user_who_never_wrote_has_no_notes():
    listing = Listing(NOTES, "carol", CREATED, "desc")
    window = Window.of(listing, skip=0, limit=2, cursor=None)

    assert read_page(PageQuery(listing, window)) == {
        "notes": [],
        "total": 0,
        "limit": 2,
        "skip": 0,
        "next_cursor": None,
        "revision": 0,
        "sync_token": BEGINNING.token,
    }
    assert reads.place("carol") == BEGINNING


def changed(work: Callable[[UnitOfWork], Note]) -> Note:
    """What ``work`` makes of a note of alice's, once that is committed."""
    note, _ = run(User("alice"), work)
    return note


def retitle(
    unit: UnitOfWork, note_id: int, title: str, precondition: Precondition | None = None
) -> Note:
    old = unit.entity(NOTES, note_id, precondition)
    new: Note = {**unit.renewed(old), "title": title}
    unit.put(NOTES, old, new)
    return new


def delete(unit: UnitOfWork, note_id: int) -> Note:
    return trash.delete(unit, NOTES, note_id)


def restore(unit: UnitOfWork, note_id: int) -> Note:
    return trash.restore(unit, NOTES, note_id)


def if_match(etag: str) -> Precondition:
    return Precondition(lambda one: one == etag, "The note is another one.")


def test_a_note_is_changed_under_its_etag_at_the_next_revision_of_the_user():
    known = if_match(etag_of(LIVE[0]))
    new = changed(lambda unit: retitle(unit, 1, "z", known))

    assert new == {**LIVE[0], "title": "z", "updated_at": new["updated_at"], "revision": 21}
    assert reads.get(NOTES, "alice", 1) == new
    assert (page()["revision"], reads.get(NOTES, "alice", 2)) == (21, LIVE[1])


def test_a_note_is_not_changed_under_the_etag_of_an_older_one():
    known = if_match(etag_of(LIVE[0]))
    new = changed(lambda unit: retitle(unit, 1, "z", known))
    problem = refusal(lambda: changed(lambda unit: retitle(unit, 1, "y", known)))

    assert (problem.code, problem.current) == ("precondition_failed", new)
    assert problem.headers == {"ETag": f'"{etag_of(new)}"'}
    assert reads.get(NOTES, "alice", 1) == new


def test_a_deleted_note_is_in_the_trash_and_comes_back_as_it_was(database_url):
    deleted = changed(lambda unit: delete(unit, 1))

    assert refusal(lambda: reads.get(NOTES, "alice", 1)).code == "not_found"
    assert page(UPDATED, trashed=True)["notes"][0] == deleted
    assert page()["total"] == 6

    restored = changed(lambda unit: restore(unit, 1))

    times = {"updated_at": restored["updated_at"], "revision": 22}
    assert reads.get(NOTES, "alice", 1) == restored == {**LIVE[0], **times}
    assert ids_of(page(UPDATED, trashed=True)) == [9, 8]
    assert counters_of(database_url, "alice") == {
        "revision": 22,
        "open_tasks": 0,
        "done_tasks": 0,
        "trashed_tasks": 0,
    }


def trash_of_alice() -> list[dict[str, Any]]:
    return trash.page(NOTES, "alice", skip=0, limit=5, cursor=None, days=30)["notes"]


def test_the_page_of_the_trash_tells_when_each_note_is_deleted_for_good():
    shown = [{**one, "purge_at": "2026-03-03T00:00:00.000Z"} for one in DELETED_NOTES[::-1]]

    assert trash_of_alice() == shown


def test_an_emptied_trash_takes_no_revision_and_leaves_the_live_notes():
    emptied, _ = run(User("alice"), lambda unit: trash.empty(unit, NOTES))

    assert emptied == {"changed": 2, "revision": REVISION}
    assert (trash_of_alice(), page()["total"]) == ([], len(LIVE))


def test_a_purge_deletes_what_is_older_than_its_days():
    recent = changed(lambda unit: delete(unit, 1))

    assert trash.purge(NOTES, days=1) == len(TRASHED)
    assert [one["id"] for one in trash_of_alice()] == [recent["id"]]
    assert trash.purge(NOTES, days=1) == 0


def test_a_note_that_is_not_on_the_side_where_it_is_looked_for_is_not_found():
    live = refusal(lambda: changed(lambda unit: delete(unit, 8)))
    trashed = refusal(lambda: changed(lambda unit: restore(unit, 1)))

    assert [live.detail, trashed.detail] == ["No such note", "No such note in the trash"]
