"""``GET /api/{user_id}/stats``."""

from datetime import date, timedelta

import pytest

from tests.api.clock import frozen
from tests.api.expect import in_query, invalid, refusal
from tests.api.places import create_list
from tests.conftest import Caller

NONE = {"total": 0, "open": 0, "completed": 0}


def days(last, **completed):
    """The thirty days up to ``last``; ``completed`` by days before it (``d0``, ``d1`` ...)."""
    return [
        {
            "date": (date.fromisoformat(last) - timedelta(days=ago)).isoformat(),
            "completed": completed.get(f"d{ago}", 0),
        }
        for ago in reversed(range(30))
    ]


def stats(caller, query=""):
    return caller("GET", f"/api/{caller.id}/stats{query}").json()


def test_a_user_who_never_wrote_has_stats_of_nothing(service):
    with frozen(service, "2026-12-31T12:00:00Z") as alice:
        assert stats(alice) == {
            **NONE,
            "overdue": 0,
            "due_today": 0,
            "by_priority": {"low": NONE, "medium": NONE, "high": NONE},
            "by_list": [{"list_id": None, **NONE}],
            "tags": 0,
            "by_tag": [],
            "completed_per_day": days("2026-12-31"),
        }


def test_stats_count_the_live_tasks(service):
    with frozen(service, "2026-12-31T12:00:00Z") as alice:
        alice.create(priority="high", tags=["Work", "x"], due_date="2026-12-31")
        alice.create(priority="high", tags=["work"], due_date="2026-12-30")
        alice.create(tags=["work"], due_date="2026-12-31T11:00:00Z", completed=True)
        alice.create(due_date="2026-12-31T11:00:00Z")
        alice.create(priority="low", tags=["gone"], due_date="2026-12-31", completed=True)
        alice("DELETE", "5")

        assert stats(alice) == {
            "total": 4,
            "open": 3,
            "completed": 1,
            "overdue": 2,
            "due_today": 3,
            "by_priority": {
                "low": NONE,
                "medium": {"total": 2, "open": 1, "completed": 1},
                "high": {"total": 2, "open": 2, "completed": 0},
            },
            "by_list": [{"list_id": None, "total": 4, "open": 3, "completed": 1}],
            "tags": 2,
            "by_tag": [
                {"name": "work", "total": 3, "open": 2, "completed": 1},
                {"name": "x", "total": 1, "open": 1, "completed": 0},
            ],
            "completed_per_day": days("2026-12-31", d0=1),
        }


def test_stats_count_the_tasks_of_the_inbox_and_of_each_list_that_has_any(service, alice):
    alice.create()
    home, work, _ = (create_list(service, alice) for _ in range(3))
    parent = alice.create(list_id=work, priority="high")["id"]
    alice.create(list_id=work, parent_id=parent, completed=True)
    alice.create(list_id=home, completed=True)
    gone = alice.create(list_id=work)["id"]
    alice("DELETE", f"{gone}")

    inbox = {"list_id": None, "total": 1, "open": 1, "completed": 0}
    assert stats(alice)["by_list"] == [
        inbox,
        {"list_id": home, "total": 1, "open": 0, "completed": 1},
        {"list_id": work, "total": 2, "open": 1, "completed": 1},
    ]
    for counted in stats(alice)["by_list"]:
        page = alice("GET", f"?list={counted['list_id'] or 'none'}").json()
        assert page["total"] == counted["total"]


@pytest.mark.parametrize("tz", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata"])
def test_overdue_and_due_today_are_the_totals_of_the_views(service, tz):
    with frozen(service, "2026-12-31T11:00:00Z") as alice:
        for day in range(1, 28):
            alice.create(due_date=f"2026-12-{day + 4:02}", completed=day % 5 == 0)
            alice.create(due_date=f"2026-12-{day + 4:02}T{day % 24:02}:00:00Z")
        alice.create(due_date="2027-01-01")
        found = stats(alice, f"?tz={tz}")
        totals = [
            alice("GET", f"?tz={tz}&view={view}").json()["total"] for view in ("overdue", "today")
        ]

        assert [found["overdue"], found["due_today"]] == totals
        assert all(totals)


def test_a_day_of_completions_is_one_of_the_callers_zone(service):
    """Completed at 23:30 and at 00:30 in Berlin: on two days there, on one in UTC."""
    with frozen(service, "2026-12-30T22:30:00Z") as alice:
        alice.create(completed=True)
    with frozen(service, "2026-12-30T23:30:00Z"):
        alice.create(completed=True)
        berlin = stats(alice, "?tz=Europe/Berlin")["completed_per_day"]
        utc = stats(alice)["completed_per_day"]

    assert berlin == days("2026-12-31", d0=1, d1=1)
    assert utc == days("2026-12-30", d0=2)


def test_completions_of_thirty_days_are_counted_and_not_of_the_day_before(service):
    with frozen(service, "2026-12-01T23:59:59.999Z") as alice:
        alice.create(completed=True)
    with frozen(service, "2026-12-02T00:00:00Z"):
        alice.create(completed=True)
        alice.create(completed=True)
        alice("PATCH", "3/complete")  # taken back: it counts no more
    with frozen(service, "2026-12-31T12:00:00Z"):
        token = Caller(alice.client, alice.id)
        found = stats(token)

    assert found["completed_per_day"] == days("2026-12-31", d29=1)
    assert (found["completed"], found["open"]) == (2, 1)


def test_the_hundred_tags_that_most_tasks_have_are_shown(alice):
    for group in range(6):
        alice.create(tags=[f"tag {group} {number:02}" for number in range(20)])
    alice.create(tags=["tag 5 19"])

    found = stats(alice)

    assert found["tags"] == 120
    assert [tag["name"] for tag in found["by_tag"]] == [
        "tag 5 19",
        *[f"tag {number // 20} {number % 20:02}" for number in range(99)],
    ]


def test_stats_are_nobody_elses(alice, bob):
    bob.create(completed=True)

    assert stats(alice)["total"] == 0
    assert refusal(alice("GET", f"/api/{bob.id}/stats"))["code"] == "user_path_mismatch"


def test_an_unknown_zone_is_refused(alice):
    path = f"/api/{alice.id}/stats"
    wrong = in_query(
        "tz", "format", "is not a time zone of the IANA database, such as Europe/Berlin"
    )

    assert refusal(alice("GET", f"{path}?tz=Berlin")) == invalid(path, wrong)
