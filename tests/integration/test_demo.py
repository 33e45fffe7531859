"""The page at ``/demo`` in a real Chromium, on a real server: alone, in two tabs, over a line that
breaks, and while somebody else changes the same task.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import DIALECTS
from tests.depth import ONLY_IN_CI
from tests.integration.pages import BROWSER, visit
from tests.integration.server import REPOSITORY, SERVING, Server
from tests.integration.typescript import compiled
from tests.servers.nginx import Nginx
from tests.servers.programs import require

pytestmark = ONLY_IN_CI

SHIPPED = REPOSITORY / "todo" / "handlers" / "demo"
NETWORK = re.compile(r"Failed to load resource: (.*)")

Play = Callable[[str], dict[str, Any]]


@pytest.fixture
def play(serving: Callable[..., Server], tmp_path: Path) -> Play:
    """Play a scene of ``demo.mjs`` on a new server; return what it tells."""
    [_, chromium] = require("node", "chromium", folder=BROWSER)

    def told(scene: str) -> dict[str, Any]:
        server = serving(command=SERVING, ready="/livez")
        page = f"{server.client.base_url}/demo"
        return visit(chromium, tmp_path, page, "demo.mjs", scene=scene)

    return told


def test_tasks_are_added_ticked_edited_and_deleted_and_each_is_undone_after_a_reload_too(play):
    assert play("alone") == {
        "added": ["Pay the rent", "Ring the dentist", "Buy milk"],
        "open": ["Pay the rent", "Ring the dentist"],
        "completed": ["Buy milk"],
        "found": ["Ring the dentist"],
        "renamed": ["Pay the rent", "Ring the dentist", "Buy oat milk"],
        "deleted": ["Pay the rent", "Buy oat milk"],
        "undone": ["Pay the rent", "Ring the dentist", "Buy oat milk"],
        "redone": ["Pay the rent", "Buy oat milk"],
        "again": ["Pay the rent", "Buy oat milk"],
        "errors": [],
    }


def test_behind_a_prefix_all_of_it_works_too(serving, tmp_path):
    [_, chromium] = require("node", "chromium", folder=BROWSER)
    server = serving(command=SERVING, ready="/livez", ROOT_PATH="/todo-api")
    prefix = "rewrite ^/todo-api(/.*)$ $1 break"
    with Nginx.start(server.port, tmp_path / "nginx", prefix) as proxy:
        page = f"{proxy.origin}/todo-api/demo"
        told = visit(chromium, tmp_path, page, "demo.mjs", scene="alone")

    assert (told["again"], told["errors"]) == (["Pay the rent", "Buy oat milk"], [])


def test_what_one_tab_does_the_other_shows(play):
    assert play("together") == {
        "news": "",
        "sentence": "You were logged out. Log in again; nothing is lost.",
        "errors": [],
    }


def test_a_line_that_breaks_loses_nothing_and_doubles_nothing(play):
    told = play("broken")

    assert told["offline"].startswith("Offline")
    assert told["meanwhile"] == ["Water the plants", "Ring the dentist", "Buy milk"]
    assert (told["unsent"], told["elsewhere"]) == (2, 201)
    assert told["tasks"] == [
        ["Buy milk", True],
        ["Ring the dentist", False],
        ["By others", False],
        ["Water the plants", False],
    ]
    assert told["shown"] == [title for title, _ in reversed(told["tasks"])]
    assert [error for error in told["errors"] if "net::ERR_" not in error] == []


def test_what_was_not_sent_before_a_reload_is_sent_after_it(play):
    told = play("reloaded")

    assert (told["tasks"], told["shown"]) == (["Buy milk"], ["Buy milk"])
    assert [error for error in told["errors"] if "net::ERR_" not in error] == []


def test_nothing_is_lost_while_somebody_else_changes_the_same_task(play):
    told = play("contested")

    assert (told["typed"], told["kept"]) == ("Buy oat milk", "Buy no milk")
    assert told["refused"] == "This cannot be undone: “Buy tea” was changed again since."
    refusals = [NETWORK.fullmatch(error) for error in told["errors"]]
    assert [refusal and "412" in refusal[1] for refusal in refusals] == [True]


def test_a_token_is_renewed_and_a_session_that_ends_takes_nothing_with_it(play):
    told = play("ended")

    assert told["isNew"]
    assert "password" in told["sentence"]
    assert told["typed"] == "Buy oat milk"
    refusals = [NETWORK.fullmatch(error) for error in told["errors"]]
    assert all(refusal and "401" in refusal[1] for refusal in refusals)


def test_the_keyboard_is_enough_on_a_telephone(play):
    told = play("byKeyboard")

    assert (set(told["overflow"]), told["nameless"], told["errors"]) == ({0}, [], [])
    assert told["afterAdding"] == "title"
    assert told["afterTicking"] == "Completed: Pay the rent"
    assert told["afterEscape"] == "Edit Pay the rent"
    assert told["afterSaving"] == "Edit Pay no rent"
    assert told["afterDeleting"] == "Edit Buy milk"
    assert (told["afterUndoing"], told["outline"]) == ("Redo", "solid")


def test_the_page_has_what_the_example_compiles_to(
    servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory
):
    dist = compiled(servers[DIALECTS[0]], tmp_path_factory) / "dist"

    for name in ("live.js", "optimistic.js"):
        assert (SHIPPED / name).read_text() == (dist / name).read_text(), "make demo renews it"
