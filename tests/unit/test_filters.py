"""The filters of a list: `todo.tasks.filters`."""

from dataclasses import dataclass

import pytest

from todo.problems import Problem
from todo.tasks import filters
from todo.tasks.filters import Filters

NOTHING = {
    "completed": None,
    "priority": [],
    "tag": [],
    "words": [],
    "due_after": None,
    "due_before": None,
    "completed_after": None,
    "completed_before": None,
    "updated_since": None,
    "view": None,
    "tz": "UTC",
}


def test_what_a_cursor_is_bound_to_is_what_cursors_of_earlier_releases_are_bound_to():
    assert list(Filters().asked.items()) == list(NOTHING.items())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"status": "pending"}, {"completed": False}),
        ({"status": "all"}, {}),
        ({"priority": ["low", "high", "low"]}, {"priority": ["high", "low"]}),
        ({"tag": ["Work", "home"]}, {"tag": ["home", "work", "WORK"]}),
        ({"search": " oat  MILK oat"}, {"search": "milk oat"}),
        ({"due_after": "2026-12-31T18:00:00+01:00"}, {"due_after": "2026-12-31T17:00:00Z"}),
        (
            {"completed_after": "2026-12-31T18:00:00+01:00"},
            {"completed_after": "2026-12-31T17:00:00Z"},
        ),
        ({"updated_since": "2026-12-31T18:00:00+01:00"}, {"updated_since": "2026-12-31T17:00:00Z"}),
    ],
)
def test_filters_that_mean_the_same_are_bound_to_the_same_cursors(one, other):
    assert Filters(**one).asked == Filters(**other).asked
    moment = "2026-12-01T00:00:00.000Z"
    assert Filters(**one).conditions(moment) == Filters(**other).conditions(moment)


def test_a_status_that_contradicts_completed_is_refused():
    with pytest.raises(Problem, match="contradicts status=pending"):
        Filters(status="pending", completed=True)


def test_a_filter_that_is_added_leaves_the_cursors_of_other_lists_alone(monkeypatch):
    @dataclass(frozen=True, kw_only=True)
    class More(Filters):
        described: bool | None = None

    monkeypatch.setattr(filters, "_ASKED", (*filters._ASKED, "described"))

    assert More().asked == NOTHING
    assert More(described=False).asked == {**NOTHING, "described": False}
