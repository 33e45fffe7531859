"""The front end of `docs/optimistic-front-end.md`: compiled strictly, and run against the live API,
over a line that breaks, too. Whole lists are compared: nothing is lost, and nothing made twice.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import DIALECTS
from tests.integration.bad_line import Break, bad_line_to
from tests.integration.server import REPOSITORY, Server
from tests.integration.typescript import EXAMPLE
from tests.servers.node import run
from todo.tasks.recurrence import NONE
from todo.values.positions import last

PAGE = REPOSITORY / "docs" / "optimistic-front-end.md"
SOURCE = EXAMPLE / "src" / "optimistic.ts"
LINES = {
    "good": [Break.NEVER],
    "bad": [Break.BEFORE, Break.AFTER, Break.MIDWAY, Break.NEVER],
    "tunnel": [Break.AFTER] * 6 + [Break.NEVER] * 20,
}

Play = Callable[[str], Any]


@pytest.fixture(params=DIALECTS)
def server(request: pytest.FixtureRequest, servers: dict[str, Server]) -> Server:
    return servers[request.param]


@pytest.fixture(params=["good", "bad"])
def line(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def play(project: Path, server: Server, line: str, tmp_path: Path) -> Play:
    """Play a scene as a new user over the line; return what it prints."""

    def printed(scene: str) -> Any:
        with bad_line_to(server.port, *LINES[line]) as broken:
            text = run(
                project,
                "node",
                "dist/optimistic-scenes.js",
                scene,
                home=tmp_path,
                API_URL=f"http://127.0.0.1:{broken.port}",
                LIVE_URL=f"http://127.0.0.1:{server.port}",
                TOKEN=server.caller().token,
            )
        assert set(broken.broken) == set(LINES[line])
        return json.loads(text)

    return printed


SHOWN = {
    "description": None,
    "completed": False,
    "priority": "medium",
    "due_date": None,
    "tags": [],
}
REFUSED_CREATE = ["refused", "create", "validation_failed"]


def a_task(task_id: int, title: str, revision: int, **fields: Any) -> dict[str, Any]:
    position = last(task_id) if task_id > 0 else ""
    place = {"list_id": None, "parent_id": None, "position": position}
    return {**SHOWN, **place, **NONE, "id": task_id, "title": title, "revision": revision, **fields}


def test_what_is_shown_at_once_is_made_once_or_taken_back(play, line):
    milk = {"description": "Two litres", "tags": ["home"]}
    end = [a_task(1, "Buy milk", 3, completed=True, **milk), a_task(4, "Pay the rent", 8)]
    changes = [
        ("POST", "/tasks"),
        ("PATCH", "/tasks/1"),
        ("PATCH", "/tasks/1"),
        ("POST", "/tasks"),
        ("DELETE", "/tasks/4"),
        ("POST", "/trash/4/restore"),
        ("DELETE", "/tasks/4"),
        ("POST", "/trash/4/restore"),
    ]
    assert play("day") == {
        "first": a_task(-1, "Buy milk", 0, **milk),
        "toggled": a_task(1, "Buy milk", 2, completed=True, **milk),
        "gone": None,
        "wrong": "",
        "shown": end,
        "list": end,
        "log": [["refused", "update", "validation_failed"], REFUSED_CREATE],
        "same": True,
        "calls": [[*call, line == "bad"] for call in changes],
        "keys": len(changes),
    }


def test_two_clients_of_one_task_are_merged_field_by_field_and_asked_only_where_both_changed(play):
    merged = a_task(1, "My milk", 4, description="Mine", priority="high")
    end = [{**merged, "completed": True, "tags": ["a"], "revision": 6}]
    assert play("conflict") == {
        "merged": merged,
        "mine": end,
        "theirs": end,
        "list": end,
        "logs": [
            [["choose", "description", "Mine", "Theirs"]],
            [["choose", "description", "Theirs again", "Mine"]],
        ],
        "keys": 0,
    }


def test_what_comes_over_the_stream_is_merged_with_the_steps_that_wait_and_never_lost(play):
    bread = a_task(2, "Bread", 4, description="Theirs")
    end = [a_task(1, "Milk", 5, description="Mine", completed=True, priority="high"), bread]
    assert play("overlaid") == {
        "before": [a_task(1, "Milk", 1, description="Mine", completed=True), bread],
        "shown": end,
        "list": end,
        "log": [["choose", "description", "Mine", "Theirs"]],
    }


def test_what_was_done_offline_survives_a_reload_and_is_made_in_one_bulk(play, line):
    before = [
        a_task(1, "Older", 1, completed=True),
        a_task(2, "Mine", 2),
        a_task(4, "Never", 4),
        a_task(-5, "Fresh", 0, description="of the train"),
        a_task(-7, "x" * 201, 0),
    ]
    end = [
        a_task(1, "Older", 8, completed=True),
        a_task(2, "Mine", 7, description="Theirs"),
        a_task(10, "Fresh", 10, description="of the train"),
    ]
    calls = [
        ("PATCH", "/tasks/2"),  # merged by itself
        ("POST", "/tasks/bulk"),
        ("POST", "/tasks"),
        ("DELETE", "/tasks/11"),
    ]
    assert play("offline") == {
        "before": before,
        "shown": end,
        "list": end,
        "log": [REFUSED_CREATE, ["refused", "update", "task_not_found"]],
        "calls": [[*call, line == "bad"] for call in calls],
        "left": [],
    }


@pytest.mark.parametrize("line", ["tunnel"])
def test_what_was_made_without_an_answer_is_not_made_again_after_a_reload(play):
    before = [a_task(-1, "Milk", 0, completed=True), a_task(-2, "Bread", 0)]
    end = [a_task(1, "Milk", 3, completed=True), a_task(2, "Bread", 2)]
    assert play("tunnel") == {
        "known": [False, True],
        "before": before,
        "after": before,  # the list has them by then; nothing is shown twice
        "shown": end,
        "list": end,
        "calls": [
            ["POST", "/tasks/bulk", True],
            ["GET", "/tasks/1", False],  # a bulk answers no tags
            ["PATCH", "/tasks/1", False],
        ],
        "log": [],
    }


@pytest.mark.parametrize("line", ["tunnel"])
def test_what_was_made_without_an_answer_and_then_changed_by_another_is_one_task(play):
    end = [a_task(1, "Oat milk", 3, completed=True)]
    assert play("renamed") == {
        "before": [a_task(1, "Oat milk", 2), a_task(-1, "Milk", 0)],
        "shown": end,
        "list": end,
        "log": [],
    }


def test_two_clients_who_listen_see_what_the_other_does_and_nothing_twice(play):
    played = play("together")
    assert played["shown"] == [played["list"]] * 2
    assert [task["completed"] for task in played["list"]] == [True] * 6
    assert (played["undone"], played["log"]) == (1, [[], []])


def test_a_hundred_creates_are_one_bulk_in_their_order_and_all_is_there_once(play, line):
    played = play("crowd")
    changed = [
        a_task(n + 1, f"Task {n}", 105 + 2 * n + 2, description=f"{n}", completed=True)
        for n in range(1, 4)
    ]
    end = changed + [a_task(n + 1, f"Task {n}", n + 1) for n in range(4, 105)]
    assert played == {
        "calls": [["POST", "/tasks/bulk", line == "bad"]] * 2,
        "shown": end,
        "list": end,
        "log": [],
    }


def test_the_very_same_request_is_repeated_after_what_may_pass_and_after_nothing_else(
    project, tmp_path
):
    text = run(
        project,
        "node",
        "dist/optimistic-scenes.js",
        "answers",
        home=tmp_path,
        API_URL="",
        LIVE_URL="",
        TOKEN="",
    )
    assert json.loads(text) == {
        "sent": ["a"] * 6 + ["b"] + ["c"] * 2,
        "tokens": [False, False, False, False, True, False, False, False, True],
        "ends": [{"body": {}, "etag": '"e"', "replayed": True}, "Refused", "Unanswered"],
        "waited": True,
        "rest": 0,
        "list": [],
    }


def test_the_page_shows_the_whole_file_in_its_order():
    shown = re.findall(r"^```ts\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert "\n".join(shown) == SOURCE.read_text()
