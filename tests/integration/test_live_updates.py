"""The client of `docs/live-updates.md`: compiled strictly, and run against the live API, over lines
that are cut, fall silent or hold a stream back, too. What a listener is told is compared with the
list of the API: nothing is lost, and nothing is told twice.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import DIALECTS, SECRET
from tests.depth import ONLY_IN_CI
from tests.integration.conftest import on_each_dialect
from tests.integration.relay import Relay, listening
from tests.integration.server import Server
from tests.integration.stream_lines import CutLine, HoldingLine, SilentLine
from tests.servers.node import run

pytestmark = ONLY_IN_CI

IN_STEP = {"stored": True, "shown": True, "ascending": True, "loads": 1}

SHORT = json.dumps({"first": 5_000, "dead": 5_000, "answer": 1_500})
"""How soon a client gives a line up, in ms: a tenth of the first two."""

Play = Callable[..., Any]


@pytest.fixture(scope="module")
def narrow_servers(
    new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Server]]:
    """Servers of one process each, with a short log, which take no token that has expired."""
    with on_each_dialect(
        new_database,
        tmp_path_factory,
        AUTH_JWT_LEEWAY_SECONDS="0",
        CHANGES_PER_USER="1000",
        WEB_CONCURRENCY="1",
    ) as started:
        yield started


@pytest.fixture(params=DIALECTS)
def server(request: pytest.FixtureRequest, servers: dict[str, Server]) -> Server:
    return servers[request.param]


@pytest.fixture(params=DIALECTS)
def narrow(request: pytest.FixtureRequest, narrow_servers: dict[str, Server]) -> Server:
    return narrow_servers[request.param]


@pytest.fixture
def play(project: Path, tmp_path: Path) -> Play:
    """Play a scene as a new user, who reads over ``line``; return what it prints."""

    def printed(scene: str, server: Server, line: Relay | None = None, **variables: str) -> Any:
        over: AbstractContextManager[Any] = listening(line) if line else nullcontext(server)
        with over as place:
            text = run(
                project,
                "node",
                "dist/live-scenes.js",
                scene,
                home=tmp_path,
                API_URL=f"http://127.0.0.1:{server.port}",
                LINE_URL=f"http://127.0.0.1:{place.port}",
                SECRET=SECRET,
                SUBJECT=server.caller().id,
                **variables,
            )
        return json.loads(text)

    return printed


def in_step(played: dict[str, Any], **more: Any) -> bool:
    """Whether store, screen and list are alike in the end."""
    return {**played, **IN_STEP, **more} == played


@pytest.mark.parametrize("seed", [1, 2])
def test_what_one_client_changes_the_other_has(play: Play, server: Server, seed: int):
    played = play("follow", server, SEED=str(seed))
    assert in_step(played, states=["live", "offline"]), played
    assert played["tasks"] > 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_line_that_is_cut_anywhere_loses_nothing_and_tells_nothing_twice(
    play: Play, server: Server, seed: int
):
    line = CutLine(server.port, seed)
    played = play("follow", server, line, SEED=str(seed))
    assert in_step(played), played
    assert line.cuts > 0


def test_a_line_that_falls_silent_is_given_up_and_nothing_is_lost(play: Play, server: Server):
    line = SilentLine(server.port, 3)
    played = play("follow", server, line, SEED="3", TIMES=SHORT)
    assert in_step(played), played
    assert line.cuts > 0


def test_a_page_that_is_opened_again_goes_on_where_it_was_closed(play: Play, server: Server):
    played = play("reopened", server)
    assert in_step(played, before=[[1, 1], [1, 2], [1, 2]], told=[7]), played


def test_what_later_pages_of_the_list_have_already_is_no_news(play: Play, server: Server):
    played = play("pages", server)
    deletes = [1101, 1103]  # the first is of a task that the client has never seen
    assert in_step(played, told=deletes, tasks=1099), played


def test_a_token_that_runs_out_is_renewed_and_nothing_is_missed(play: Play, narrow: Server):
    played = play("expiry", narrow)
    assert in_step(played, renewals=[False, False, True]), played
    assert played["states"] == ["live", "offline"]


def test_a_place_that_the_log_has_no_more_makes_the_client_load_again(play: Play, narrow: Server):
    played = play("reset", narrow)
    assert in_step(played, loads=2, tasks=1102, told=1), played


def test_a_place_of_another_database_makes_the_client_load_again(play: Play, server: Server):
    other = server.caller()
    other.create()
    token = other("GET", "").json()["sync_token"]
    played = play("foreign", server, FOREIGN=token)
    assert in_step(played, loads=2, tasks=1), played


def test_text_that_is_no_place_makes_the_client_load_again(play: Play, server: Server):
    assert in_step(play("foreign", server, FOREIGN="nonsense"), loads=2, tasks=1)


POLLED = ["polling: too_many_streams", "live", "offline"]


def test_a_client_without_a_stream_polls_until_it_is_woken(play: Play, narrow: Server):
    played = play("crowd", narrow, WAKE="1")
    assert in_step(played, states=POLLED), played


def test_a_client_without_a_stream_tries_again_by_itself(
    play: Play, narrow_servers: dict[str, Server]
):
    played = play("crowd", narrow_servers[DIALECTS[0]])  # which asks for 10 s of patience
    assert in_step(played, states=POLLED), played


def test_a_line_that_holds_the_stream_back_is_polled(play: Play, server: Server):
    played = play("held", server, HoldingLine(server.port), TIMES=SHORT)
    assert in_step(played, states=["polling", "offline"]), played


def test_a_server_that_replaces_its_processes_loses_nothing(play: Play, narrow: Server):
    old = narrow.workers()
    played = play("restarted", narrow, MASTER=str(narrow.process.pids()[0]))
    narrow.wait_for_other_workers_than(old)
    assert in_step(played, told=[1, 2]), played


def test_a_change_that_cannot_be_stored_is_told_when_it_is_and_told_to_every_listener(
    play: Play, server: Server
):
    played = play("failing", server)
    states = ["live", "offline", "live", "offline", "live", "offline"]
    assert in_step(played, states=states, told=[[1], [1]], thrown=1), played


def played_alone(project: Path, home: Path, scene: str, **variables: str) -> Any:
    """What a scene prints that needs no server."""
    command = ("node", "dist/live-scenes.js", scene)
    return json.loads(run(project, *command, home=home, API_URL="", LINE_URL="", **variables))


def test_a_change_that_comes_again_or_late_or_of_a_later_server_is_no_news(
    project: Path, tmp_path: Path
):
    assert played_alone(project, tmp_path, "again") == [
        [[5, 6, 7], [3, 6], {"token": "b", "revision": 8}],
        [[], [3, 6], {"token": "c", "revision": 8}],
        [[], [3, 6], {"token": "d", "revision": 11}],
        [[], [3, 6], {"token": "e", "revision": 11}],
        [[12, 13], [6], {"token": "f", "revision": 13}],
    ]


def test_a_client_that_starts_without_a_server_says_that_it_is_offline(
    project: Path, tmp_path: Path
):
    played = played_alone(project, tmp_path, "nobody")
    assert played == {"before": "connecting", "told": ["offline"], "tasks": 0}


def an_event(event: str, data: str, place: str) -> dict[str, str]:
    return {"event": event, "data": data, "id": place}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_stream_is_read_alike_however_it_is_cut(project: Path, tmp_path: Path, end: str):
    streams = [
        ("retry: 3127\nid: a\n\n", [an_event("message", "", "a")], 3127),
        ("event: change\nid: b\ndata: {}\n\n", [an_event("change", "{}", "b")], None),
        (":\n\n: a comment\n\ndata: 🦔 ä\n\n", [an_event("message", "🦔 ä", "")], None),
        ("data:one\ndata:  two\ndata\n\n", [an_event("message", "one\n two\n", "")], None),
        ("id: a\ndata: 1\n\ndata: 2\n\n", [an_event("message", f"{n}", "a") for n in "12"], None),
        ("id: a\nid: b\0\nretry: 1s\ndata: 1\n\n", [an_event("message", "1", "a")], None),
        ("\ufeffdata: marked\nunknown: x\n\n", [an_event("message", "marked", "")], None),
        ("data: half of one\n", [], None),
    ]
    texts = [text.replace("\n", end) for text, _, _ in streams]
    reads = played_alone(project, tmp_path, "parser", TEXTS=json.dumps(texts))
    for read, (_, events, retry) in zip(reads, streams, strict=True):
        expected: dict[str, Any] = {"events": events, "alike": True}
        assert read == (expected if retry is None else {**expected, "retry": retry})
