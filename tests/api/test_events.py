"""``GET /api/{user_id}/events``: what changes, as it happens."""

import json
import time
from contextlib import ExitStack

import pytest

from tests.api.expect import in_query, invalid, problem, token_at
from tests.api.listening import Event, listening
from tests.api.test_changes import gone, put, since, token
from tests.conftest import Caller, settings_for
from tests.integration.application import sent_by
from todo.auth.tokens import mint
from todo.database.engine import maintenance_engine
from todo.http.asgi import streaming
from todo.sync import streams
from todo.sync.sync_tokens import BEGINNING, Place

pytestmark = pytest.mark.pooled

FOREIGN = Place(1, "0123456789abcdef").token


def at(revision):
    return token_at(revision)


def test_a_stream_begins_with_the_place_and_a_pause(alice):
    alice.create()

    with listening(alice) as stream:
        retry, place, *rest = stream.text.split("\n")

    assert stream.status == 200
    assert 1000 <= int(retry.removeprefix("retry: ")) <= 5000
    assert (place, rest) == (f"id: {token(alice)}", ["", ""])
    assert stream.headers["content-type"] == "text/event-stream"
    assert stream.headers["cache-control"] == "no-store"
    assert stream.headers["x-accel-buffering"] == "no"


def test_a_stream_that_begins_now_asks_for_the_place_alone(alice, service):
    alice.create()

    with sent_by(service) as sent, listening(alice):
        pass

    assert sent
    assert [text for text, _ in sent if "changes" in text] == []


def test_what_changes_is_told_as_the_delta_would_tell_it(alice):
    place = token(alice)
    with listening(alice) as stream:
        milk = alice.create("Buy milk")
        stream.wait_until(lambda one: len(one.changes) == 1)
        alice.create("Buy bread")
        stream.wait_until(lambda one: len(one.changes) == 2)
        alice("DELETE", "2")
        stream.wait_until(lambda one: len(one.changes) == 3)

    first, second, third, fourth = stream.events
    assert first == Event(place, "", None)
    assert second == Event(at(1), "change", put(milk))
    assert (third.id, third.data["op"]) == (at(2), "put")
    assert fourth == Event(at(3), "change", gone(2, 3, fourth.data["at"]))
    assert since(alice, second.id).json()["changes"] == [fourth.data]


def test_a_stream_goes_on_behind_the_last_event_id(alice):
    alice.create()
    with listening(alice) as stream:
        alice.create()
        stream.wait_until(lambda one: one.changes)
    tasks = [alice.create() for _ in range(3)]

    with listening(alice, f"?since={BEGINNING.token}", stream.place) as again:
        again.wait_until(lambda one: len(one.changes) == 3)

    assert again.events[0] == Event(stream.place, "", None)
    assert again.changes == [put(task) for task in tasks]


def test_a_stream_begins_behind_a_token(alice):
    tasks = [alice.create() for _ in range(3)]

    with listening(alice, f"?since={BEGINNING.token}") as stream:
        stream.wait_until(lambda one: len(one.changes) == 3)

    assert stream.changes == [put(task) for task in tasks]


def test_a_long_log_comes_page_by_page_and_whole(alice, monkeypatch):
    monkeypatch.setattr(streams, "PAGE", 2)
    tasks = [alice.create() for _ in range(7)]

    with listening(alice, f"?since={BEGINNING.token}") as stream:
        stream.wait_until(lambda one: len(one.changes) == 7)

    assert stream.changes == [put(task) for task in tasks]


def test_entries_that_send_nothing_still_move_the_place(alice, monkeypatch):
    monkeypatch.setattr(streams, "PAGE", 1)
    alice.create()
    alice("PATCH", "1/complete")

    with listening(alice, f"?since={BEGINNING.token}") as stream:
        stream.wait_until(lambda one: one.changes)

    assert [(event.id, event.name) for event in stream.events] == [
        (BEGINNING.token, ""),
        (at(1), ""),
        (at(2), "change"),
    ]


@pytest.mark.parametrize("by_header", [False, True])
def test_a_place_that_is_expired_is_reset_to_now(alice, by_header):
    alice.create()
    where = ("", FOREIGN) if by_header else (f"?since={FOREIGN}", None)

    with listening(alice, *where) as stream:
        created = alice.create()
        stream.wait_until(lambda one: one.changes)

    first, second = stream.events
    assert first == Event(at(1), "reset", {})
    assert second == Event(at(2), "change", put(created))


def test_a_change_made_elsewhere_is_told(service, serve):
    here = service.caller()
    elsewhere = serve(service.settings).caller(here.id)

    with listening(here) as stream:
        created = elsewhere.create()
        stream.wait_until(lambda one: one.changes)

    assert stream.changes == [put(created)]


def test_nobody_hears_of_somebody_else(alice, bob):
    with listening(alice) as stream:
        bob.create()
        created = alice.create()
        stream.wait_until(lambda one: one.changes)

    assert stream.changes == [put(created)]


def test_text_that_is_no_token_is_422(alice):
    with listening(alice, "?since=abc") as by_query:
        pass
    with listening(alice, "", "abc") as by_header:
        pass

    errors = in_query("since", "format", "is not a sync token")
    assert json_of(by_query) == invalid("/api/me/events", errors)
    errors = in_query("Last-Event-ID", "format", "is not a sync token")
    assert json_of(by_header) == invalid("/api/me/events", errors)


def json_of(stream):
    return json.loads(stream.text)


def test_a_bad_token_is_401_before_the_stream_begins(alice):
    alice.token = mint("another-secret-that-is-long-enough-0123456789", alice.id, hours=1)

    with listening(alice) as stream:
        pass

    assert (stream.status, json_of(stream)["code"]) == (401, "signature_invalid")


def test_a_user_may_have_ten_streams(alice, bob):
    with ExitStack() as stack:
        ten = [stack.enter_context(listening(alice)) for _ in range(10)]
        refused = stack.enter_context(listening(alice))
        another = stack.enter_context(listening(bob))

    assert {stream.status for stream in [*ten, another]} == {200}
    assert refused.status == 429
    assert refused.headers["retry-after"] == "10"
    detail = "A user may have 10 streams; close one."
    assert json_of(refused) == problem("too_many_streams", detail, "/api/me/events")
    with listening(alice) as stream:
        assert stream.status == 200


def test_a_process_that_has_no_room_says_so(alice, monkeypatch):
    monkeypatch.setattr(streams, "MOST", 0)

    with listening(alice) as stream:
        pass

    assert (stream.status, json_of(stream)["code"]) == (503, "busy")


def test_a_stream_whose_token_has_run_out_ends(alice, service, monkeypatch):
    monkeypatch.setattr(streams, "CHECK_SECONDS", 0.5)
    with listening(alice) as stream:
        hub = service.application.streams
        monkeypatch.setattr(hub, "_refused", run_out)
        stream.wait_until(lambda one: one.ended)

    assert stream.events[-1] == Event("", "expired", {})


async def run_out(tokens):
    return frozenset(tokens)


def test_a_stream_of_an_account_ends_when_its_password_changes(service, monkeypatch):
    monkeypatch.setattr(streams, "CHECK_SECONDS", 0.5)
    credentials = {"email": f"{id(monkeypatch)}@example.com", "password": "correct horse"}
    session = service.client.post("/api/auth/register", json=credentials).json()
    holder = Caller(service.client, session["user"]["id"], session["token"])

    with listening(holder) as stream:
        change = {"password": "correct horse", "new_password": "another horse"}
        assert holder("POST", "/api/auth/password", json=change).status_code == 204
        stream.wait_until(lambda one: one.ended)

    assert stream.events[-1] == Event("", "expired", {})
    with listening(holder) as refused:
        pass
    assert (refused.status, json_of(refused)["code"]) == (401, "token_revoked")


def test_a_stream_says_something_now_and_then(alice, monkeypatch):
    monkeypatch.setattr(streams, "COMMENT_SECONDS", 0.5)

    with listening(alice) as stream:
        stream.wait_until(lambda one: one.text.endswith(":\n\n:\n\n"))

    assert [event.name for event in stream.events] == [""]


def test_a_client_that_reads_nothing_is_dropped(alice, monkeypatch):
    monkeypatch.setattr(streaming, "SLOW_SECONDS", 0.2)

    with listening(alice) as stream:
        stream.stalled = True
        alice.create()
        stream.wait_until(lambda one: one.ended)
        stream.stalled = False

    assert stream.changes == []
    with ExitStack() as stack:
        ten = [stack.enter_context(listening(alice)) for _ in range(10)]
    assert {one.status for one in ten} == {200}


def test_streams_end_when_the_process_is_about_to_end(alice, bob, service, monkeypatch):
    with listening(alice) as stream, listening(bob) as other:
        monkeypatch.setattr(service.application.streams, "is_ending", lambda: True)
        stream.wait_until(lambda one: one.ended)
        other.wait_until(lambda one: one.ended)

    assert [event.name for event in stream.events] == [""]


def test_a_database_that_does_not_answer_delays_no_comment_and_no_end(
    new_database, serve, monkeypatch
):
    monkeypatch.setattr(streams, "COMMENT_SECONDS", 0.5)
    url = new_database("postgresql")
    service = serve(settings_for(url))
    with listening(service.caller("alice")) as stream, maintenance_engine(url).connect() as other:
        other.exec_driver_sql("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        said = len(stream.text)
        stream.wait_until(lambda one: one.text[said:].endswith(":\n\n:\n\n"))
        monkeypatch.setattr(service.application.streams, "is_ending", lambda: True)
        stream.wait_until(lambda one: one.ended)
        other.exec_driver_sql("ROLLBACK")


def test_all_who_listen_cost_one_statement_at_a_time(service):
    callers = [service.caller() for _ in range(30)]
    with ExitStack() as stack:
        for caller in callers:
            stack.enter_context(listening(caller))
        with sent_by(service) as sent:
            while len(looks := [values for text, values in sent if "FROM users" in text]) < 3:
                time.sleep(0.05)

    everybody = {caller.id for caller in callers}
    assert all(everybody <= set(ids_in(values)) for values in looks)


def ids_in(values):
    """The ids of users that a statement was given, as the driver gets them."""
    [ids] = values.values() if isinstance(values, dict) else values
    return json.loads(ids) if isinstance(ids, str) else ids


def test_a_head_request_ends(alice):
    response = alice("HEAD", "/api/me/events")

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "text/event-stream"


def test_a_page_of_another_origin_may_say_where_it_was(serve, new_database):
    settings = settings_for(new_database("sqlite"), cors_origins=("https://app.example",))
    asked = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,last-event-id",
    }

    allowed = serve(settings).client.options("/api/me/events", headers=asked)

    assert allowed.status_code == 200
    assert "last-event-id" in allowed.headers["access-control-allow-headers"].lower()
