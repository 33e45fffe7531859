"""The issuer's keys over real HTTP, on both ends: gunicorn asks an issuer that a test commands.

One worker, on one database. ``test_shared_keys`` has several of each.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.api.expect import problem, refusal
from tests.api.tokens import bearer
from tests.integration.server import SERVING, Server
from tests.servers.issuer import Issuer, issuing
from tests.servers.reaper import wait_until

LIST = "/api/alice/tasks"
PATIENCE = 20
"""Seconds until a test gives up; no test needs them unless something is wrong."""
GAP = 5
"""The product's least time between two fetches that unknown keys cause, in seconds."""


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as running:
        running.add("first")
        yield running


Serve = Callable[..., Server]


@pytest.fixture
def url(new_database: Callable[[str], str]) -> str:
    return new_database("postgresql")


def start(issuer: Issuer, url: str, folder: Path, **options: str) -> Server:
    """Start a server of one worker that takes the issuer's tokens."""
    return Server.start(
        folder,
        command=SERVING,
        DATABASE_URL=url,
        BETTER_AUTH_URL=issuer.origin,
        WEB_CONCURRENCY="1",
        **options,
    )


@pytest.fixture
def serve_with(issuer: Issuer, url: str, tmp_path: Path) -> Iterator[Serve]:
    """Start a server with variables; it is closed with the test."""
    with ExitStack() as stack:

        def serve(**options: str) -> Server:
            server = start(issuer, url, tmp_path, **options)
            stack.callback(server.close)
            return server

        yield serve


def ask(server: Server, token: str) -> Any:
    return server.client.get(LIST, headers=bearer(token))


@contextmanager
def few_fetches(issuer: Issuer, *, timer: float = math.inf) -> Iterator[None]:
    """Inside of the block the issuer is asked no more often than the gap and the timer allow."""
    before, started = len(issuer.fetches), time.monotonic()
    yield
    elapsed = time.monotonic() - started
    by_kids, by_timer = elapsed // GAP + 1, math.ceil(elapsed / timer)
    assert len(issuer.fetches) - before <= by_kids + by_timer


def is_ready(server: Server) -> bool:
    return server.client.get("/readyz").status_code == 200


def test_a_known_key_needs_nothing_of_its_issuer(serve_with: Serve, issuer: Issuer):
    server = serve_with(AUTH_JWKS_FRESH_SECONDS="10")
    assert wait_until(lambda: is_ready(server), PATIENCE)
    issuer.mood = "hanging"
    before = len(issuer.fetches)
    answers = []

    # Every token is a new one, so every request needs the key; one fetch hangs meanwhile.
    while len(issuer.fetches) == before or len(answers) < 100:
        answers.append(ask(server, issuer.sign("first", jti=str(len(answers)))).status_code)
    started = len(issuer.fetches)
    answers += [ask(server, issuer.sign("first", jti=str(n))).status_code for n in range(100, 120)]

    assert set(answers) == {200}
    # The twenty took less than the two seconds that a wait for the hanging fetch would have.
    assert len(issuer.fetches) == started


def test_a_key_made_after_the_start_is_accepted_and_the_old_one_stays(
    serve_with: Serve, issuer: Issuer
):
    server = serve_with()
    old = issuer.sign("first")
    assert wait_until(lambda: ask(server, old).status_code == 200, PATIENCE)

    issuer.add("second", "ES256")
    new = issuer.sign("second")
    codes: list[str | None] = []

    def accepted() -> bool:
        answer = ask(server, new)
        codes.append(answer.json().get("code"))
        return bool(answer.status_code == 200)

    with few_fetches(issuer):
        assert wait_until(accepted, PATIENCE)
    assert set(codes[:-1]) <= {"keys_unavailable"}
    assert ask(server, old).status_code == 200


def test_a_key_made_right_after_a_fetch_is_accepted_at_the_first_try(
    serve_with: Serve, issuer: Issuer
):
    server = serve_with()
    assert wait_until(lambda: is_ready(server), PATIENCE)

    issuer.add("second")
    assert ask(server, issuer.sign("second")).status_code == 200


def test_a_withdrawn_key_is_refused_even_if_its_token_was_cached(serve_with: Serve, issuer: Issuer):
    server = serve_with(AUTH_JWKS_FRESH_SECONDS="10")
    token = issuer.sign("first")
    assert wait_until(lambda: ask(server, token).status_code == 200, PATIENCE)

    issuer.add("second")
    del issuer.keys["first"]
    with few_fetches(issuer, timer=5):
        assert wait_until(lambda: ask(server, token).status_code == 401, PATIENCE)

    assert refusal(ask(server, token)) == problem(
        "kid_unknown", "The issuer has no key with the token's 'kid'.", LIST
    )


def test_random_kids_cause_one_fetch_in_five_seconds(serve_with: Serve, issuer: Issuer):
    server = serve_with(RATE_LIMIT="off")
    assert wait_until(lambda: is_ready(server), PATIENCE)
    known = issuer.sign("first")
    forged = [issuer.sign("first", header={"kid": f"random-{n}"}) for n in range(200)]
    end = time.monotonic() + 7
    answers: list[tuple[int, str | None]] = []

    def flood(tokens: list[str]) -> None:
        while time.monotonic() < end:
            for token in tokens:
                answer = ask(server, token)
                answers.append((answer.status_code, answer.json().get("code")))

    with few_fetches(issuer), ThreadPoolExecutor(4) as pool:
        floods = [pool.submit(flood, forged[n::4]) for n in range(4)]
        statuses = set()
        while time.monotonic() < end:
            statuses.add(ask(server, known).status_code)
        for running in floods:
            running.result()

    assert statuses == {200}
    # The other one if a busy machine let the issuer miss its two seconds.
    assert set(answers) - {(503, "keys_unavailable")} == {(401, "kid_unknown")}
    assert len(issuer.fetches) > 1


MOODS = ("hanging", "dripping", "html", "redirecting", "failing", "huge")
AT_A_TIME = 3
TOKEN_CAUSE = "The keys that verify this token are unavailable right now."
READY_CAUSE = "The issuer's keys are unavailable right now."


@dataclass(frozen=True)
class Story:
    """What a server without any key answered, and after its issuer had become well."""

    refused: Any
    ready: Any
    alive: Any
    causes: set[str]
    recovered: bool
    accepted: Any
    paths: set[str]


def causes_of(server: Server) -> set[str]:
    """What the server's log says of the responses of 500 or more, up to now."""
    events = [json.loads(line) for line in server.process.log().splitlines() if line[:1] == "{"]
    return {event["cause"] for event in events if event["event"] == "request.failed"}


def story_of(mood: str, url: str, folder: Path) -> Story:
    with issuing() as issuer:
        issuer.add("first")
        issuer.mood = mood
        with closing(start(issuer, url, folder, ready="/livez")) as server:
            refused = ask(server, issuer.sign("first"))
            ready, alive = server.client.get("/readyz"), server.client.get("/livez")
            assert wait_until(lambda: READY_CAUSE in causes_of(server), PATIENCE)
            causes = causes_of(server)
            issuer.mood = "well"
            recovered = wait_until(lambda: is_ready(server), PATIENCE)
            accepted = ask(server, issuer.sign("first"))
    return Story(refused, ready, alive, causes, recovered, accepted, issuer.paths)


@pytest.fixture(scope="module")
def stories(
    new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Story]]]:
    """The story of each mood, to come: they mostly wait, so they do it side by side."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {
            mood: pool.submit(
                story_of, mood, new_database("postgresql"), tmp_path_factory.mktemp(mood)
            )
            for mood in MOODS
        }


@pytest.mark.parametrize("mood", MOODS)
def test_without_any_key_the_answer_is_503_and_the_service_recovers_by_itself(
    stories: dict[str, Future[Story]], mood: str
):
    story = stories[mood].result()

    assert refusal(story.refused) == problem("keys_unavailable", TOKEN_CAUSE, LIST)
    assert (story.refused.status_code, story.refused.headers["retry-after"]) == (503, "5")
    assert story.ready.json()["code"] == "keys_unavailable"
    assert story.alive.status_code == 200
    assert story.causes == {TOKEN_CAUSE, READY_CAUSE}

    assert story.recovered
    assert story.accepted.status_code == 200
    assert story.paths == {"/api/auth/jwks"}
