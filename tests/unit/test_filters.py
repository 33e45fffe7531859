"""The filters of a list: `todo.tasks.filters`."""

import pytest

from todo.problems import Problem
from todo.tasks.filters import Filters


def test_a_cursor_is_bound_to_the_filters_that_are_given_and_to_the_zone():
    """So a filter that is added later leaves the cursors of lists without it as they are."""
    assert Filters().given == {"tz": "UTC"}
    assert Filters(completed=False).given == {"completed": False, "tz": "UTC"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"status": "pending"}, {"completed": False}),
        ({"status": "all"}, {}),
        ({"list": ["none", "7", "none"]}, {"list": ["7", "none"]}),
        ({"list": ["7", "7"]}, {"list": ["7"]}),
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
    assert Filters(**one).given == Filters(**other).given
    moment = "2026-12-01T00:00:00.000Z"
    assert Filters(**one).conditions(moment) == Filters(**other).conditions(moment)


def test_a_status_that_contradicts_completed_is_refused():
    with pytest.raises(Problem, match="contradicts status=pending"):
        Filters(status="pending", completed=True)
