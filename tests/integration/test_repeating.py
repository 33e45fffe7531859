"""The front end of `docs/recurrence.md`: compiled strictly, and run against the live API over a
line that loses the first answer of every change.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.integration.server import REPOSITORY
from tests.integration.typescript import EXAMPLE

PAGE = REPOSITORY / "docs" / "recurrence.md"
SOURCE = EXAMPLE / "src" / "recurrence.ts"

Play = Callable[[str], Any]


@pytest.fixture
def play(play_on_board: Callable[[str, str], Any]) -> Play:
    """Play a scene as a new user; return what it prints."""
    return partial(play_on_board, "repeating")


def test_the_usual_choices_mean_what_they_say_and_nine_stays_nine_when_the_clocks_change(play):
    nine_in_summer = ["2031-03-31T07:00:00.000Z", "2031-04-01T07:00:00.000Z"]
    assert play("chosen") == {
        "every weekday": [*nine_in_summer, "2031-04-02T07:00:00.000Z"],
        "every month on the last day": ["2031-02-28", "2031-03-31", "2031-04-30"],
        "every month": ["2031-02-28", "2031-03-31", "2031-04-30"],  # from 31 January
        "every 3 days after completion": ["2031-01-04", "2031-01-07", "2031-01-10"],
        "every 2 weeks on Tuesday": ["2031-01-21", "2031-02-04", "2031-02-18"],
        "every month on the second Tuesday, 3 times": ["2031-02-11", "2031-03-11"],
        "every month on the last Friday": ["2031-02-28", "2031-03-28", "2031-04-25"],
        "every week on Monday and Thursday, until 13 January 2031": ["2031-01-09", "2031-01-13"],
    }


def test_a_tick_makes_one_next_task_and_taking_it_back_takes_that_along(play):
    [january, february] = [["2031-01-31", False, 1], ["2031-02-28", False, 2]]
    done = ["2031-01-31", True, 1]
    assert play("ticked") == {
        "first": [done, february],
        "same": True,
        "open": [january, True, False],
        "second": [done, february],
        "without": [False, done, january],
    }


def test_a_moved_occurrence_keeps_the_rhythm_and_a_series_is_skipped_ruled_anew_and_ended(play):
    assert play("changed") == {
        "ruled": {"rule": "FREQ=WEEKLY;BYDAY=MO", "from": "due", "start": "2031-01-06"},
        "dates": [
            ["2031-01-06", False, 1],
            ["2031-01-08", False, 1],  # moved to Wednesday
            ["2031-01-13", False, 2],  # Monday
            ["2031-01-20", False, 2],  # skipped
        ],
        "ended": [None, False, []],
    }


def test_the_page_shows_the_whole_file_in_its_order():
    shown = re.findall(r"^```ts\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert "\n".join(shown) == SOURCE.read_text()
