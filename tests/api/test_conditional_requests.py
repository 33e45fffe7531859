"""``ETag``, ``If-None-Match`` and ``If-Match`` (RFC 9110, sections 8.8 and 13)."""

import re

import pytest

from tests.api.clock import frozen
from tests.api.expect import problem, refusal
from tests.api.operations import OPERATIONS, Operation
from tests.conftest import Caller

pytestmark = pytest.mark.pooled

STRONG = re.compile(r'"[\x21\x23-\x7e]{8,40}"')
NOT_THE_ONE = "If-Match does not name the current ETag; 'current' has what is stored now."
WEAK = (
    " If-Match has a weak ETag, which never matches. A compressing proxy has changed the "
    "ETag: send the ETag without the 'W/'."
)
ENDS = (
    " If-Match has an ETag that ends in '{}'. A compressing proxy has changed the "
    "ETag: send the ETag without that ending."
)
WRITES = [op for op in OPERATIONS if op.on_one_task and op.method != "GET"]
every_write = pytest.mark.parametrize("operation", WRITES, ids=lambda operation: operation.name)


def tag_of(caller: Caller, path: str = "1") -> str:
    tag = caller("GET", path).headers["etag"]
    assert STRONG.fullmatch(tag)
    return tag


def send(caller: Caller, operation: Operation, **headers: str):
    body = {} if operation.body is None else {"json": operation.body}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return caller(operation.method, operation.path(caller.id, 1), headers=names, **body)


def test_every_answer_that_shows_a_task_has_its_tag(alice):
    answers = [alice("POST", "", json={"title": "Buy milk"})]
    answers += [
        alice("PUT", "1", json={"title": "Buy oat milk"}),
        alice("PATCH", "1", json={"tags": ["x"]}),
        alice("PATCH", "1/complete"),
        alice("GET", "1"),
    ]

    tags = [answer.headers["etag"] for answer in answers]
    assert all(STRONG.fullmatch(tag) for tag in tags)
    assert len(set(tags)) == 4
    assert tags[-1] == tags[-2]


def test_a_deletion_tells_the_tag_that_the_task_has_in_the_trash(alice):
    alice.create()
    live = tag_of(alice)
    gone = alice("DELETE", "1").headers["etag"]
    restore = f"/api/{alice.id}/trash/1/restore"

    assert STRONG.fullmatch(gone)
    assert alice("POST", restore, headers={"If-Match": live}).status_code == 412
    assert alice("POST", restore, headers={"If-Match": gone}).status_code == 200


def test_a_change_of_nothing_keeps_the_tag(alice):
    alice.create(title="Buy milk")
    tag = tag_of(alice)

    assert alice("PATCH", "1", json={"title": "Buy milk"}).headers["etag"] == tag


@pytest.mark.parametrize(
    "path", ["1", "", "?sort=title&limit=1", "?tag=x&search=y", "?view=undated", "/api/me/tags"]
)
def test_what_is_at_hand_is_304_without_a_body_until_it_changes(alice, path):
    alice.create(title="y", tags=["x"])
    tag = tag_of(alice, path)

    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        response = alice("GET", path, headers={"If-None-Match": known})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == tag
        assert response.headers["cache-control"] == "private, no-cache"
        assert "Authorization" in response.headers["vary"]
        assert "content-type" not in response.headers
    alice("PATCH", "1", json={"description": "changed"})

    changed = alice("GET", path, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.headers["etag"] == tag) == (200, False)


@pytest.mark.parametrize("known", ['"other"', "W/", "nonsense", '"', "", "\xff"])
def test_what_is_not_at_hand_is_sent_whole(alice, known):
    alice.create()
    for path in ("1", "", "/api/me/tags"):
        response = alice("GET", path, headers={"If-None-Match": known.encode("latin-1")})
        assert response.status_code == 200


def test_a_list_keeps_its_tag_while_nothing_changes_and_whoever_else_writes(alice, bob):
    alice.create()
    tag = tag_of(alice, "")
    bob.create()
    alice("PATCH", "1", json={})
    alice("DELETE", "99")

    assert tag_of(alice, "") == tag
    alice("DELETE", "1")
    assert tag_of(alice, "") != tag


def test_a_user_who_never_wrote_has_a_tag_for_the_empty_list(alice):
    tag = tag_of(alice, "")

    assert alice("GET", "", headers={"If-None-Match": tag}).status_code == 304
    alice.create()
    assert alice("GET", "", headers={"If-None-Match": tag}).status_code == 200


def test_tags_are_of_one_owner(alice, bob):
    for caller in (alice, bob):
        caller.create()

    assert tag_of(alice) != tag_of(bob)
    assert tag_of(alice, "") != tag_of(bob, "")
    foreign = tag_of(bob, "/api/me/tasks")
    assert alice("GET", "/api/me/tasks", headers={"If-None-Match": foreign}).status_code == 200


def test_the_views_of_a_day_have_a_tag_that_ends_with_it(service):
    tags = {}
    for moment in ("2026-12-31T22:00:00Z", "2026-12-31T22:59:59Z", "2026-12-31T23:00:00Z"):
        with frozen(service, moment):
            alice = service.caller("somebody-whose-day-ends")
            tags[moment] = [
                tag_of(alice, f"?view={view}&tz=Europe/Berlin") for view in ("today", "upcoming")
            ]
            known = {"If-None-Match": tags["2026-12-31T22:00:00Z"][0]}
            status = alice("GET", "?view=today&tz=Europe/Berlin", headers=known).status_code
            assert status == (200 if moment == "2026-12-31T23:00:00Z" else 304)

    before, last, after = tags.values()
    assert before == last
    assert before != after


@pytest.mark.parametrize("path", ["?view=overdue", "/api/me/stats"])
def test_what_moves_with_every_instant_has_no_tag(alice, path):
    alice.create(due_date="2020-01-01")
    response = alice("GET", path, headers={"If-None-Match": "*"})

    assert response.status_code == 200
    assert "etag" not in response.headers


@every_write
def test_a_write_that_names_the_tasks_tag_is_made(alice, operation):
    for known in ("{}", "*", '"other", {}', '{}, W/"weak"', '{}, "xy-gzip"'):
        caller = alice if known == "{}" else Caller(alice.client, f"{alice.id}{len(known)}")
        caller.create()
        response = send(caller, operation, If_Match=known.format(tag_of(caller)))
        assert response.status_code == operation.success, known


@every_write
def test_a_write_that_names_another_tag_is_412_with_the_task_as_it_is(alice, operation):
    alice.create(description="x" * 1000, tags=["y" * 50])
    stale = tag_of(alice)
    current = alice("PATCH", "1", json={"title": "t" * 200}).json()

    now = tag_of(alice)
    mangled = {
        f"W/{now}": WEAK,
        f'"other", W/{now}': WEAK,
        f'{now[:-1]}-gzip"': ENDS.format("-gzip"),
        f'"other", {now[:-1]};gzip"': ENDS.format(";gzip"),
        f'{now[:-1]}--br"': ENDS.format("--br"),
    }
    others = dict.fromkeys((stale, '"other"', "nonsense", "", '"gzip"'), "")
    for known, hint in {**others, **mangled}.items():
        response = send(alice, operation, If_Match=known)

        expected = problem("precondition_failed", NOT_THE_ONE + hint, operation.path(alice.id, 1))
        assert refusal(response) == {**expected, "current": current}, known
        assert response.headers["etag"] == tag_of(alice)
    assert alice("GET", "1").json() == current


def test_the_hint_leaves_a_tag_its_own_dash(service):
    while True:
        caller = service.caller()
        caller.create()
        tag = tag_of(caller).strip('"')
        if tag.endswith("-"):
            break

    response = caller("DELETE", "1", headers={"If-Match": f'"{tag}-gzip"'})

    detail = NOT_THE_ONE + ENDS.format("-gzip")
    assert refusal(response)["detail"] == detail


@every_write
def test_a_task_that_is_not_there_is_404_whatever_its_tag_should_be(alice, bob, operation):
    alice.create()
    tag = tag_of(alice)
    alice("DELETE", "1")

    for known in (tag, "*", '"other"'):
        assert refusal(send(alice, operation, If_Match=known))["code"] == "task_not_found"
        assert refusal(send(bob, operation, If_Match=known))["code"] == "task_not_found"


@every_write
def test_an_empty_if_match_is_one_and_an_absent_one_is_none(alice, operation):
    alice.create()

    assert send(alice, operation, If_Match="").status_code == 412
    assert send(alice, operation).status_code == operation.success


@pytest.mark.parametrize("mangled", ["W/{}", '{:.13}-gzip"', '{:.13};br"'])
def test_a_tag_that_a_proxy_rewrote_is_good_once_it_is_as_the_hint_says(alice, mangled):
    alice.create()
    tag = tag_of(alice)
    rewritten = mangled.format(tag)

    refused = alice("PATCH", "1", json={"title": "x"}, headers={"If-Match": rewritten})
    sent_back = re.sub(r"^W/|[-;](gzip|br)(?=\"$)", "", rewritten)
    made = alice("PATCH", "1", json={"title": "x"}, headers={"If-Match": sent_back})

    assert (refused.status_code, sent_back, made.status_code) == (412, tag, 200)


@every_write
def test_a_tag_without_its_quotes_counts_as_if_it_had_them(alice, operation):
    alice.create()

    response = send(alice, operation, If_Match=tag_of(alice).strip('"'))
    assert response.status_code == operation.success


def test_of_two_who_edit_the_same_task_the_second_hears_of_the_first(alice):
    alice.create(title="Buy milk")
    tag = tag_of(alice)

    first = alice("PATCH", "1", json={"title": "Buy oat milk"}, headers={"If-Match": tag})
    second = alice("PATCH", "1", json={"title": "Buy soy milk"}, headers={"If-Match": tag})
    again = alice(
        "PATCH", "1", json={"title": "Buy soy milk"}, headers={"If-Match": second.headers["etag"]}
    )

    assert (first.status_code, second.status_code, again.status_code) == (200, 412, 200)
    assert second.json()["current"] == first.json()
    assert again.json()["title"] == "Buy soy milk"
