"""Times are UTC with exactly three decimals, whatever zone the database and the process are in."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.tables import rows, value

KATHMANDU = "Asia/Kathmandu"  # UTC+05:45
BERLIN = [
    "2026-10-25T00:30:00.000Z",  # 02:30 in Berlin, summer time
    "2026-10-25T01:30:00.000Z",  # 02:30 in Berlin again
    "2026-03-29T01:30:00.999Z",  # half an hour after the one that Berlin leaves out
]


@pytest.fixture
def process_in_kathmandu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", KATHMANDU)
        time.tzset()
        assert time.strftime("%z") == "+0545"
        yield
    time.tzset()


def cut_to_milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def stored(url: str, column: str) -> str:
    """A moment of task 1 as UTC with microseconds, told by the database without our help."""
    if url.startswith("postgresql"):
        form = f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    else:
        form = f"CAST({column} AS text)"
    return value(url, f"SELECT {form} FROM tasks WHERE id = 1")  # noqa: S608 - our own names


def test_moments_are_utc_where_neither_server_nor_process_is(
    database_url, process_in_kathmandu, service_on
):
    if database_url.startswith("postgresql"):
        assert value(database_url, "SHOW timezone") == KATHMANDU
    alice = service_on(database_url).caller()

    before = cut_to_milliseconds(datetime.now(UTC))
    alice.create("Buy milk")
    task: dict[str, Any] = alice("PATCH", "1/complete").json()
    after = datetime.now(UTC)

    names = ("created_at", "updated_at", "completed_at")
    moments = [datetime.fromisoformat(task[name]) for name in names]
    assert [before <= moment <= after for moment in moments] == [True] * 3
    for name in names:
        assert task[name] == f"{stored(database_url, name)[:-3].replace(' ', 'T')}Z"
        assert stored(database_url, name).endswith("000")
    assert alice("GET", "1").json() == task
    assert alice("GET", "").json()["tasks"] == [task]


def test_moments_in_an_hour_that_a_zone_repeats_or_leaves_out_are_told_apart(
    database_url, service_on
):
    is_postgresql = database_url.startswith("postgresql")
    if is_postgresql:
        name = value(database_url, "SELECT current_database()")
        rows(database_url, f"ALTER DATABASE \"{name}\" SET timezone TO 'Europe/Berlin'")
    alice = service_on(database_url).caller()
    for moment in BERLIN:
        task = alice.create("Buy milk")
        literal = moment.replace("T", " ").replace("Z", "000+00" if is_postgresql else "000")
        rows(
            database_url,
            "UPDATE tasks SET created_at = :moment WHERE id = :id",
            moment=literal,
            id=task["id"],
        )

    page = alice("GET", "?order=asc").json()

    assert [task["created_at"] for task in page["tasks"]] == BERLIN


@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "America/St_Johns"])
def test_moments_of_few_decimals_are_whole_in_whatever_zone_the_database_is(
    new_database, service_on, zone
):
    url = new_database("postgresql")
    name = url.rpartition("/")[2]
    rows(url, f"ALTER DATABASE {name} SET timezone TO '{zone}'")
    alice = service_on(url).caller("alice")
    for second in range(3):
        alice.create(f"{second}", completed=True)
    moments = ("2026-11-22 16:51:00.5+00", "2026-11-22 16:51:00.25+00", "2026-11-22 16:51:00+00")
    for task_id, moment in enumerate(moments, 1):
        changes = ", ".join(f"{c} = :moment" for c in ("created_at", "updated_at", "completed_at"))
        statement = f"UPDATE tasks SET {changes} WHERE id = :task_id"  # noqa: S608 - our own names
        rows(url, statement, moment=moment, task_id=task_id)

    listed = alice("GET", "?order=asc").json()["tasks"]

    assert [task["created_at"][17:] for task in listed] == ["00.500Z", "00.250Z", "00.000Z"]
    for task in listed:
        assert task["created_at"] == task["updated_at"] == task["completed_at"]
        changed = alice("PATCH", str(task["id"]), json={"title": "changed"})
        assert changed.json()["completed_at"] == task["completed_at"]
        assert alice("GET", "", params={"updated_since": task["updated_at"]}).status_code == 200
