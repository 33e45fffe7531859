"""``view`` and ``tz``: what is due today, soon, or too late, where the caller is."""

import pytest

from tests.api.clock import frozen
from tests.api.expect import a_page
from tests.conftest import Service

VIEWS = ("today", "upcoming", "overdue", "undated")


@pytest.fixture
def seen(service: Service):
    """Which of these due dates each view has, at a moment and in a zone."""

    def views(moment, tz, *due_dates):
        with frozen(service, moment) as alice:
            for due_date in due_dates:
                alice.create(str(due_date), due_date=due_date)
            found = {}
            for view in VIEWS:
                page = alice("GET", f"?view={view}&tz={tz}&order=asc").json()
                assert page["total"] == len(page["tasks"])
                found[view] = [task["title"] for task in page["tasks"]]
            return found

    return views


def test_a_date_is_todays_in_the_zone_of_the_caller_and_an_instant_by_its_moment(seen):
    # It is the 31st at 00:30 in Berlin, and the 30th in UTC.
    dates = ["2026-12-30", "2026-12-31", "2027-01-01"]
    instants = [
        "2026-12-30T22:59:59.999Z",  # 23:59 on the 30th in Berlin
        "2026-12-30T23:00:00.000Z",
        "2026-12-30T23:30:00.000Z",  # this very moment
        "2026-12-31T22:59:59.999Z",
        "2026-12-31T23:00:00.000Z",
    ]

    assert seen("2026-12-30T23:30:00Z", "Europe/Berlin", *dates, *instants, None) == {
        "today": ["2026-12-31", *instants[1:4]],
        "upcoming": ["2027-01-01", instants[4]],
        "overdue": ["2026-12-30", *instants[:2]],
        "undated": ["None"],
    }
    assert seen("2026-12-30T23:30:00Z", "UTC", *dates, *instants, None) == {
        "today": ["2026-12-30", *instants[:3]],
        "upcoming": ["2026-12-31", "2027-01-01", *instants[3:]],
        "overdue": instants[:2],
        "undated": ["None"],
    }


def test_upcoming_has_the_seven_days_after_today(seen):
    days = [f"2026-12-{day:02}" for day in range(10, 21)]

    found = seen("2026-12-11T12:00:00Z", "UTC", *days, "2026-12-12T00:00:00.000Z",
                 "2026-12-18T23:59:59.999Z", "2026-12-19T00:00:00.000Z")  # fmt: skip

    assert found == {
        "today": ["2026-12-11"],
        "upcoming": [*days[2:9], "2026-12-12T00:00:00.000Z", "2026-12-18T23:59:59.999Z"],
        "overdue": ["2026-12-10"],
        "undated": [],
    }


@pytest.mark.parametrize(
    ("tz", "moment", "today"),
    [
        ("Pacific/Kiritimati", "2026-12-31T09:59:59.999Z", "2026-12-31"),
        ("Pacific/Kiritimati", "2026-12-31T10:00:00.000Z", "2027-01-01"),
        ("Pacific/Pago_Pago", "2026-12-31T10:59:59.999Z", "2026-12-30"),
        ("Pacific/Pago_Pago", "2026-12-31T11:00:00.000Z", "2026-12-31"),
        ("Asia/Kolkata", "2026-12-31T18:29:59.999Z", "2026-12-31"),
        ("Asia/Kolkata", "2026-12-31T18:30:00.000Z", "2027-01-01"),
        ("Asia/Kathmandu", "2026-12-31T18:15:00.000Z", "2027-01-01"),
        ("America/St_Johns", "2026-12-31T03:29:59.999Z", "2026-12-30"),
    ],
)
def test_the_day_turns_at_midnight_in_the_zone(seen, tz, moment, today):
    days = ["2026-12-29", "2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"]

    found = seen(moment, tz, *days)

    assert found["today"] == [today]
    assert found["overdue"] == days[: days.index(today)]
    assert found["upcoming"] == days[days.index(today) + 1 :]


@pytest.mark.parametrize(
    ("moment", "first", "last", "hours"),
    [
        ("2026-03-29T10:00:00Z", "2026-03-28T23:00:00.000Z", "2026-03-29T21:59:59.999Z", 23),
        ("2026-10-25T10:00:00Z", "2026-10-24T22:00:00.000Z", "2026-10-25T22:59:59.999Z", 25),
        ("2026-06-15T10:00:00Z", "2026-06-14T22:00:00.000Z", "2026-06-15T21:59:59.999Z", 24),
    ],
)
def test_a_day_has_as_many_hours_as_the_clocks_give_it(seen, moment, first, last, hours):
    before = first.replace("00:00.000Z", "59:59.999Z")
    before = f"{before[:11]}{int(before[11:13]) - 1}{before[13:]}"
    after = last.replace("59:59.999Z", "00:00.000Z")
    after = f"{after[:11]}{int(after[11:13]) + 1}{after[13:]}"

    found = seen(moment, "Europe/Berlin", before, first, last, after)

    assert found["today"] == [first, last]
    assert found["upcoming"] == [after]
    assert (int(last[8:10]) - int(first[8:10])) * 24 + int(last[11:13]) + 1 - int(
        first[11:13]
    ) == hours


def test_the_week_ahead_crosses_a_change_of_the_clocks_by_days_and_not_by_hours(seen):
    # Berlin, the 23rd of October; the clocks go back on the 25th.
    found = seen(
        "2026-10-23T10:00:00Z",
        "Europe/Berlin",
        "2026-10-30T22:59:59.999Z",  # 23:59 on the 30th
        "2026-10-30T23:00:00.000Z",
        "2026-10-30",
        "2026-10-31",
    )

    assert found["upcoming"] == ["2026-10-30T22:59:59.999Z", "2026-10-30"]


def test_overdue_has_pending_tasks_only_and_the_others_have_both(service):
    with frozen(service, "2026-12-31T12:00:00Z") as alice:
        for due_date in ("2026-12-30", "2026-12-31", "2027-01-01", None):
            for completed in (False, True):
                alice.create(due_date=due_date, completed=completed)
        counts = {view: alice("GET", f"?view={view}").json()["total"] for view in VIEWS}
        pending = {
            view: alice("GET", f"?view={view}&status=pending").json()["total"] for view in VIEWS
        }

        assert counts == {"today": 2, "upcoming": 2, "overdue": 1, "undated": 2}
        assert pending == dict.fromkeys(VIEWS, 1)
        assert alice("GET", "?view=overdue&completed=true").json() == a_page([], revision=8)


def test_what_is_overdue_is_so_from_its_moment_on(service):
    with frozen(service, "2026-12-31T12:00:00Z") as alice:
        alice.create("now", due_date="2026-12-31T12:00:00.000Z")
        alice.create("then", due_date="2026-12-31T11:59:59.999Z")
        alice.create("today", due_date="2026-12-31")
        overdue = alice("GET", "?view=overdue").json()["tasks"]

    assert [task["title"] for task in overdue] == ["then"]


def test_views_combine_with_other_filters(service):
    with frozen(service, "2026-12-31T12:00:00Z") as alice:
        alice.create("early", due_date="2026-12-31T08:00:00Z", tags=["work"])
        alice.create("late", due_date="2026-12-31T20:00:00Z", tags=["work"])
        alice.create("home", due_date="2026-12-31T20:00:00Z")
        query = "?view=today&due_after=2026-12-31T12:00:00Z&tag=work"
        found = alice("GET", query).json()["tasks"]

    assert [task["title"] for task in found] == ["late"]


@pytest.mark.parametrize(
    ("view", "due_date", "not_yet"),
    [
        ("today", "2026-12-31", "2027-01-01"),
        ("upcoming", "2027-01-07", "2027-01-08"),
        ("overdue", "2026-12-30", "2026-12-31"),
    ],
)
def test_pages_of_a_cursor_are_of_the_moment_of_the_first(service, view, due_date, not_yet):
    """A list that is read over midnight neither loses nor gains a task."""
    with frozen(service, "2026-12-31T23:59:59Z") as alice:
        for _ in range(3):
            alice.create(due_date=due_date)
        alice.create(due_date=not_yet)
        first = alice("GET", f"?view={view}&limit=2&order=asc").json()

    with frozen(service, "2027-01-01T00:00:01Z"):
        cursor = first["next_cursor"]
        second = alice("GET", f"?view={view}&limit=2&order=asc&cursor={cursor}").json()

    ids = [task["id"] for page in (first, second) for task in page["tasks"]]
    assert (ids, first["total"], second["total"]) == ([1, 2, 3], 3, 3)
    assert second["next_cursor"] is None


def test_a_cursor_of_undated_tasks_needs_no_moment(service):
    with frozen(service, "2026-12-31T23:59:59Z") as alice:
        for _ in range(3):
            alice.create()
        first = alice("GET", "?view=undated&limit=2").json()
    with frozen(service, "2027-01-01T00:00:01Z"):
        second = alice("GET", f"?view=undated&limit=2&cursor={first['next_cursor']}").json()

    assert [task["id"] for task in second["tasks"]] == [1]
