"""The board of `docs/lists.md`: compiled strictly, and run against the live API over a line that
loses the first answer of every change. What it shows is compared with what another client loads.
"""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.conftest import DIALECTS
from tests.integration.server import REPOSITORY
from tests.integration.typescript import EXAMPLE

PAGE = REPOSITORY / "docs" / "lists.md"
SOURCE = EXAMPLE / "src" / "lists.ts"

Play = Callable[[str], Any]


@pytest.fixture
def play(play_on_board: Callable[[str, str], Any]) -> Play:
    """Play a scene as a new user; return what it prints."""
    return partial(play_on_board, "scenes")


def test_a_dropped_card_is_shown_at_once_and_is_where_every_client_sees_it(play):
    dragged = [[], ["C", "B", "A"]]
    assert play("drag") == {
        "first": [
            [["C", "A", "B"], []],  # at once
            [["C", "A", "B"], []],  # when the answer came
            [["C", "B"], ["A"]],
        ],
        "fast": dragged,  # before the first answer
        "moved": dragged,
        "both": [["A", "B"], ["C"]],
        "undone": dragged,
        "same": dragged,
    }


def test_a_drop_that_is_refused_is_taken_back_and_the_board_learns_what_others_did(play):
    assert play("beaten") == {
        "codes": [
            *("precondition_failed", "precondition_failed"),  # another client ticked A
            *("validation_failed", "unknown_reference"),  # and deleted C
        ],
        "back": [["B", "C", "A"], []],
        "opened": [["B", "A"], []],
    }


def test_a_checklist_is_ticked_sorted_completed_deleted_and_brought_back_as_a_whole(play):
    ticked = [["z", False], ["x", False], ["y", True]]
    count = {"total": 3, "completed": 1}
    assert play("checklist") == {
        "ticked": {"states": ticked, "progress": count, "elsewhere": count},
        "all": {"card": True, "states": [["z", True], ["x", True], ["y", True]]},
        "undone": {"card": False, "states": ticked},
        "deleted": [["B", "C"], []],
        "back": [[["A", "B", "C"]], ticked],
    }


def test_what_is_dropped_where_it_is_already_is_not_sent(play):
    assert play("still") == {"kept": True, "seen": [["A", "B", "C"]], "moved": [["A", "C"], ["B"]]}


def test_a_busy_server_is_asked_again_after_as_long_as_it_says(play):
    # Once for what was busy, and once more for the answer that the line lost.
    assert play("busy") == {"seconds": 7, "answers": 3, "lists": ["To do"]}


def test_lists_are_added_renamed_moved_and_deleted_and_each_is_taken_back(play):
    lists = ["To do", "Done", "Next"]
    whole = [lists, lists, [3, 0, 0, 0]]
    left = ["Done", "Next"]
    assert play("lists") == {
        "atOnce": ["Next", "To do", "Done"],
        "changed": [["Next", "To do", "Done"], ["Next", "To do", "Done"], [3, 0, 0, 0]],
        "refused": "precondition_failed",
        "undone": whole,
        "emptied": {"seen": [["A", "B", "C"]], "now": [left, left, [0, 0, 3]]},
        "deleted": [left, left, [0, 0, 0]],
        "back": {"seen": [["A", "B", "C"], []], "now": whole},
        "logged": True,
    }


def test_a_board_that_listens_shows_what_another_client_does_to_the_lists(play):
    assert play("listening") == {
        "names": ["Done"],
        "state": "offline",
        "cards": [[], ["A", "B", "C"]],
    }


def test_the_answers_on_the_page_are_those_of_the_api(servers):
    caller = servers[DIALECTS[0]].caller()
    first = caller.create_list("To do")
    caller.create_list("Done", color="#2e8b57")
    card = caller.create("Paint", list_id=first["id"])
    caller.create("Buy paint", parent_id=card["id"])
    lists = caller("GET", caller.lists)
    deletion = caller("DELETE", f"{caller.lists}/{first['id']}")
    since = lists.json()["sync_token"]
    changes = caller("GET", f"/api/me/changes?since={since}").json()["changes"]

    answers = [lists.json(), deletion.json(), changes[0]]
    assert [alike(json.loads(shown)) for shown in blocks("json")] == [alike(a) for a in answers]
    assert "Revision" not in deletion.headers


def test_the_page_shows_the_whole_file_in_its_order():
    assert "\n".join(blocks("ts")) == SOURCE.read_text()


def blocks(language: str) -> list[str]:
    pattern = rf"^```{language}\n(.*?)^```$"
    return re.findall(pattern, PAGE.read_text(), re.DOTALL | re.MULTILINE)


def alike(answer: Any) -> Any:
    """The answer without what is another for each user and at each time."""
    text = json.dumps(answer)
    return json.loads(re.sub(r'("(?:user_id|\w*at|sync_token)": )"[^"]*"', r'\1"..."', text))
