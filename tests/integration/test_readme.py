"""The README's lines do what it says, typed as they stand there."""

import json
import re
import subprocess
from pathlib import Path

from tests.integration.server import REPOSITORY, TODO, Server, environment
from tests.servers.programs import require

SHELL = r"^##+ {heading}$.*?^```sh$(.*?)^```$"


def lines_of(heading: str) -> str:
    """The first shell lines under a heading of the README."""
    pattern = SHELL.format(heading=heading)
    found = re.search(pattern, (REPOSITORY / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def documents(text: str, count: int) -> tuple[list[dict[str, object]], str]:
    """The first `count` JSON documents of `text`, and the rest of it."""
    read, decoder = [], json.JSONDecoder()
    for _ in range(count):
        document, end = decoder.raw_decode(text)
        read.append(document)
        text = text[end:].lstrip()
    return read, text


def type_in(script: str, server: Server, folder: Path) -> str:
    """What the shell prints for `script`, with this checkout's `todo` and the server's port.

    It finds the programs that are required here, and no others.
    """
    programs = folder / "programs"
    programs.mkdir()
    for path in map(Path, require("bash", "curl", "sed")):
        (programs / path.name).symlink_to(path)
    for written, here in ((".venv/bin/todo", TODO), ("localhost:8000", f"127.0.0.1:{server.port}")):
        assert written in script
        script = script.replace(written, here)
    return subprocess.run(
        [programs / "bash", "-eu", "-c", script],
        cwd=folder,
        env={**environment(folder / "home"), "PATH": str(programs)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def test_tasks_are_organised_and_found_again(serving, tmp_path):
    script = lines_of("A first task") + lines_of("List and filter")
    printed = type_in(script, serving(), tmp_path).partition("HTTP/1.1 204")[2]

    assert "200 more tasks of 'alice'" in printed
    shown, _ = documents(printed[printed.index("{") :], 5)
    rent, today, found, page, tags = shown
    assert (rent["priority"], rent["due_date"], rent["tags"]) == ("high", "2026-12-31", ["home"])
    assert "total" in today
    assert rent in found["tasks"]
    assert len(page["tasks"]) == 1
    assert page["next_cursor"]
    assert "home" in [tag["name"] for tag in tags["tags"]]


def test_a_task_in_a_list_gets_a_subtask_and_both_go_to_the_start_of_the_inbox(serving, tmp_path):
    script = lines_of("A first task") + lines_of("Sort by hand")
    printed = type_in(script, serving(), tmp_path).partition("HTTP/1.1 204")[2]

    [subtask, card, inbox], _ = documents(printed[printed.index("{") :], 3)
    assert (subtask["title"], subtask["parent_id"]) == ("Buy a brush", card["id"])
    assert (card["title"], card["list_id"]) == ("Paint", None)
    assert inbox["tasks"] == [card]
    assert inbox["subtasks"] == {str(card["id"]): {"total": 1, "completed": 0}}


def test_a_change_is_repeated_refused_taken_back_and_made_in_bulk(serving, tmp_path):
    script = lines_of("A first task") + lines_of("Edit safely")
    printed = type_in(script, serving(), tmp_path).partition("HTTP/1.1 204")[2]

    shown, _ = documents(printed[printed.index("{") :], 5)
    first, repeat, refused, restored, bulk = shown
    assert first["title"] == "Book the train"
    assert repeat == first
    assert (refused["status"], refused["current"]) == (412, first)
    assert (restored["id"], restored["title"]) == (first["id"], first["title"])
    assert [result["status"] for result in bulk["results"]] == [201, 204]


def test_what_changes_is_told_and_taken_back(serving, tmp_path):
    endless = lines_of("Keep in step").replace("# the same", "|| true # the same")
    script = lines_of("A first task") + endless
    printed = type_in(script, serving(), tmp_path).partition("HTTP/1.1 204")[2]

    [created, changes], rest = documents(printed[printed.index("{") :], 2)
    [change] = changes["changes"]
    assert (change["op"], change["data"]) == ("put", created)
    events, _, undone = rest.rpartition("\n\n")
    assert f"event: change\ndata: {json.dumps(change, separators=(',', ':'))}" in events
    assert json.loads(undone) == {"unit": 6, "revision": 6, "changed": 1}


def test_the_first_task_is_created_listed_completed_changed_and_deleted(serving, tmp_path):
    printed = type_in(lines_of("A first task"), serving(), tmp_path)

    [created, listed, completed, changed], deleted = documents(printed, 4)
    assert (created["id"], created["title"], created["completed"]) == (1, "Buy milk", False)
    assert (listed["tasks"], listed["total"]) == ([created], 1)
    assert (completed["id"], completed["completed"]) == (1, True)
    assert (changed["description"], changed["completed"]) == ("Two litres", True)
    assert deleted.startswith("HTTP/1.1 204 ")
