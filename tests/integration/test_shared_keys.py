"""The issuer's keys as all workers, machines and restarts share them, through the database."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from jwt.algorithms import get_default_algorithms

from tests.api.expect import problem, refusal
from tests.api.tokens import bearer
from tests.depth import ONLY_IN_CI
from tests.integration.application import running, sent_by
from tests.integration.server import SERVING, Server
from tests.integration.tables import rows
from tests.integration.test_keys import GAP, PATIENCE, few_fetches
from tests.servers.better_auth import ISSUER, better_auth
from tests.servers.issuer import Issuer, issuing, octets, public_jwk
from tests.servers.process import free_port
from tests.servers.reaper import wait_until
from todo.auth.key_store import KeyStoreError
from todo.database.binding import bound
from todo.database.issuer_keys import IssuerKeys
from todo.settings.settings import Settings

pytestmark = ONLY_IN_CI

LIST = "/api/alice/tasks"
WORKERS = 3
ROUND = 8 * WORKERS
"""Requests on connections of their own, of which each worker gets some."""
UNAVAILABLE = problem(
    "keys_unavailable", "The keys that verify this token are unavailable right now.", LIST
)

Serve = Callable[..., Server]


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as running_issuer:
        running_issuer.add("first")
        yield running_issuer


@pytest.fixture
def serve(database_url: str, tmp_path: Path) -> Iterator[Serve]:
    """Start a server of three workers on the test's database; all are closed with the test."""
    with ExitStack() as stack:

        def start(**variables: str) -> Server:
            home = tmp_path / str(free_port())
            home.mkdir()
            given = {"DATABASE_URL": database_url, "WEB_CONCURRENCY": str(WORKERS), **variables}
            server = Server.start(home, command=SERVING, ready="/livez", **given)
            stack.callback(server.close)
            return server

        yield start


def ask(server: Server, token: str) -> Any:
    return server.client.get(LIST, headers=bearer(token))


def statuses(server: Server, issuer: Issuer, kid: str, number: int = ROUND) -> set[int]:
    """What so many requests get, each with a token that nobody has seen."""
    tokens = [issuer.sign(kid, jti=f"{time.monotonic()}-{n}") for n in range(number)]
    return {ask(server, token).status_code for token in tokens}


def is_known(server: Server, issuer: Issuer, kid: str = "first") -> bool:
    return statuses(server, issuer, kid) == {200}


EARLIER = {
    "postgresql": "UPDATE issuer_keys SET confirmed_at = confirmed_at - :hours * interval '1 hour'",
    "sqlite": "UPDATE issuer_keys SET confirmed_at ="
    " strftime('%Y-%m-%d %H:%M:%f000', confirmed_at, '-' || :hours || ' hours')",
}


def set_back(url: str, hours: int) -> None:
    """Let the keys have been confirmed so much earlier."""
    rows(url, EARLIER[url.partition(":")[0]], hours=hours)


def test_a_key_that_one_worker_met_works_in_all_and_after_a_restart_with_better_auth_away(
    serve: Serve,
):
    with better_auth(JWKS_ROTATION="1") as auth:
        user = auth.sign_up("alice")
        variables = {"BETTER_AUTH_URL": ISSUER, "AUTH_JWKS_URL": auth.jwks_url}
        first = auth.token(user)
        server = serve(**variables)
        me = "/api/me/tasks"

        def answers(token: str, number: int = 1) -> list[int]:
            headers = bearer(token)
            return [server.client.get(me, headers=headers).status_code for _ in range(number)]

        assert wait_until(lambda: answers(first, ROUND) == [200] * ROUND, PATIENCE)
        kid = jwt.get_unverified_header(first)["kid"]
        tokens = []

        def rotated() -> bool:
            tokens.append(auth.token(user))
            return jwt.get_unverified_header(tokens[-1])["kid"] != kid

        assert wait_until(rotated, PATIENCE)
        assert wait_until(lambda: answers(tokens[-1]) == [200], PATIENCE)
        auth.stop()

        # One worker has asked for the new key; the others have never met it.
        assert answers(tokens[-1], ROUND) == [200] * ROUND
        assert answers(first, ROUND) == [200] * ROUND
        server.close()
        server = serve(**variables)
        assert wait_until(lambda: server.client.get("/readyz").status_code == 200, PATIENCE)
        assert answers(tokens[-1], ROUND) == [200] * ROUND


def test_all_workers_of_all_servers_start_with_one_fetch(serve: Serve, issuer: Issuer):
    for _ in "ab":
        server = serve(BETTER_AUTH_URL=issuer.origin)
        assert wait_until(lambda at=server: is_known(at, issuer), PATIENCE)

    assert len(issuer.fetches) == 1


def test_all_workers_renew_the_keys_with_one_fetch(serve: Serve, issuer: Issuer):
    server = serve(BETTER_AUTH_URL=issuer.origin, AUTH_JWKS_FRESH_SECONDS="10")

    # At half of the time that a withdrawn key may take: none follows the one before at once.
    assert wait_until(lambda: len(issuer.fetches) == 3, PATIENCE)
    assert min(late - early for early, late in pairwise(issuer.fetches)) > GAP - 1
    assert is_known(server, issuer)


def test_a_withdrawn_key_is_refused_by_every_worker(serve: Serve, issuer: Issuer):
    server = serve(BETTER_AUTH_URL=issuer.origin, AUTH_JWKS_FRESH_SECONDS="10")
    token = issuer.sign("first")
    assert wait_until(lambda: is_known(server, issuer), PATIENCE)
    assert [ask(server, token).status_code for _ in range(ROUND)] == [200] * ROUND

    lost = issuer.sign("first", jti="another")
    issuer.add("second")
    del issuer.keys["first"]
    with few_fetches(issuer, timer=5):
        # Every worker has this token in its cache.
        assert wait_until(
            lambda: {ask(server, token).status_code for _ in range(ROUND)} == {401}, PATIENCE
        )
    refused = [ask(server, lost) for _ in range(ROUND)]
    expected = problem("kid_unknown", "The issuer has no key with the token's 'kid'.", LIST)
    assert [refusal(one) for one in refused] == [expected] * ROUND


def test_random_kids_cause_one_fetch_in_five_seconds_over_all_workers_of_all_servers(
    serve: Serve, issuer: Issuer
):
    servers = [serve(BETTER_AUTH_URL=issuer.origin) for _ in "ab"]
    for server in servers:
        assert wait_until(lambda at=server: is_known(at, issuer), PATIENCE)
    end = time.monotonic() + GAP + 2
    answers: set[tuple[int, str]] = set()

    def flood(number: int) -> None:
        server, sent = servers[number % 2], 0
        while time.monotonic() < end:
            sent += 1
            answer = ask(server, issuer.sign("first", header={"kid": f"{number}-{sent}"}))
            answers.add((answer.status_code, answer.json()["code"]))

    with few_fetches(issuer), ThreadPoolExecutor(4) as pool:
        list(pool.map(flood, range(4)))
        assert len(issuer.fetches) > 1

    assert answers <= {(401, "kid_unknown"), (503, "keys_unavailable")}
    assert (503, "keys_unavailable") in answers


def test_a_key_made_inside_the_gap_is_503_and_then_accepted_by_every_worker(
    serve: Serve, issuer: Issuer
):
    server = serve(BETTER_AUTH_URL=issuer.origin)
    assert wait_until(lambda: is_known(server, issuer), PATIENCE)
    forged = ask(server, issuer.sign("first", header={"kid": "forged"}))
    assert forged.json()["code"] == "kid_unknown"

    issuer.add("second")
    answers = []

    def accepted() -> bool:
        answers.append(ask(server, issuer.sign("second")))
        return answers[-1].status_code == 200

    assert wait_until(accepted, PATIENCE)
    refused = answers[:-1]
    assert refused
    assert [refusal(one) for one in refused] == [UNAVAILABLE] * len(refused)
    assert {one.headers["retry-after"] for one in refused} == {"5"}
    assert is_known(server, issuer, "second")


def test_a_kid_that_the_issuer_did_not_have_stays_401_inside_the_gap(serve: Serve, issuer: Issuer):
    server = serve(BETTER_AUTH_URL=issuer.origin, WEB_CONCURRENCY="1")
    assert wait_until(lambda: is_known(server, issuer), PATIENCE)
    forged = issuer.sign("first", header={"kid": "forged"})

    codes = [ask(server, forged).json()["code"] for _ in range(10)]

    assert codes == ["kid_unknown"] * 10


def test_requests_that_come_while_another_worker_fetches_wait_for_its_answer(
    serve: Serve, issuer: Issuer
):
    server = serve(BETTER_AUTH_URL=issuer.origin)
    assert wait_until(lambda: is_known(server, issuer), PATIENCE)
    issuer.add("second")
    tokens = [issuer.sign("second", jti=str(number)) for number in range(ROUND)]

    with ThreadPoolExecutor(ROUND) as pool:
        answers = list(pool.map(lambda token: ask(server, token).status_code, tokens))

    assert answers == [200] * ROUND


@pytest.mark.parametrize(("hours", "status"), [(23, 200), (25, 503)])
def test_a_key_is_trusted_for_24_hours_after_any_worker_has_confirmed_it(
    serve: Serve, issuer: Issuer, database_url: str, hours: int, status: int
):
    first = serve(BETTER_AUTH_URL=issuer.origin)
    assert wait_until(lambda: is_known(first, issuer), PATIENCE)
    first.close()
    set_back(database_url, hours)
    issuer.mood = "failing"

    server = serve(BETTER_AUTH_URL=issuer.origin)
    assert statuses(server, issuer, "first") == {status}


def test_a_key_that_was_withdrawn_during_a_pause_is_refused_from_the_first_request_on(
    serve: Serve, issuer: Issuer, database_url: str
):
    first = serve(BETTER_AUTH_URL=issuer.origin)
    assert wait_until(lambda: is_known(first, issuer), PATIENCE)
    first.close()
    set_back(database_url, 1)
    token = issuer.sign("first")
    issuer.add("second")
    del issuer.keys["first"]

    server = serve(BETTER_AUTH_URL=issuer.origin)

    assert 200 not in {ask(server, token).status_code for _ in range(ROUND)}


def test_600_keys_serve_and_so_do_the_newest_1000_of_more(serve: Serve, issuer: Issuer):
    for number in range(600):
        issuer.add(f"key-{number}")
    server = serve(BETTER_AUTH_URL=issuer.origin)
    assert wait_until(lambda: is_known(server, issuer), PATIENCE)
    assert is_known(server, issuer, "key-599")
    assert len(issuer.fetches) == 1

    for number in range(600, 1500):
        issuer.add(f"key-{number}")
    # Each is 130 bytes: together 190 KB, far beyond the 64 KiB that a set once could have.
    assert len(issuer.document()) > 65_536
    assert wait_until(lambda: is_known(server, issuer, "key-1499"), PATIENCE)
    assert is_known(server, issuer, "key-500")


def test_the_table_has_public_members_of_public_keys_and_nothing_else(
    serve: Serve, issuer: Issuer, database_url: str
):
    private = get_default_algorithms()["EdDSA"].to_jwk(
        ed25519.Ed25519PrivateKey.generate(), as_dict=True
    )
    public = public_jwk("first", *issuer.keys["first"])
    issuer.documents = [
        {**private, "kid": "private", "alg": "EdDSA"},
        {"kty": "oct", "kid": "shared", "k": octets(b"x" * 32)},
        {**public, "kid": "more", "x5c": ["MIIB"], "token": "a.b.c"},
    ]
    server = serve(BETTER_AUTH_URL=issuer.origin)
    assert wait_until(lambda: is_known(server, issuer), PATIENCE)

    [row] = rows(database_url, "SELECT url, CAST(key_set AS text) AS key_set FROM issuer_keys")
    assert row["url"] == issuer.url
    assert set(json_of(row["key_set"])) == {"first", "more"}
    assert json_of(row["key_set"])["first"] == public
    assert json_of(row["key_set"])["more"] == {**public, "kid": "more"}


def json_of(text: str) -> dict[str, Any]:
    return {key["kid"]: key for key in json.loads(text)}


def test_without_the_table_each_worker_keeps_its_own_keys(
    serve: Serve, issuer: Issuer, database_url: str
):
    server = serve(BETTER_AUTH_URL=issuer.origin, AUTH_JWKS_FRESH_SECONDS="10")
    assert wait_until(lambda: is_known(server, issuer), PATIENCE)
    rows(database_url, "DROP TABLE issuer_keys")
    assert wait_until(lambda: "jwks.not_shared" in server.process.log(), PATIENCE)

    assert statuses(server, issuer, "first") == {200}
    issuer.add("second")
    assert wait_until(lambda: is_known(server, issuer, "second"), 2 * PATIENCE)


def test_keys_in_memory_serve_while_the_database_is_away(tmp_path: Path, issuer: Issuer):
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/todo"
    server = Server.start(
        tmp_path,
        command=SERVING,
        ready="/livez",
        DATABASE_URL=url,
        BETTER_AUTH_URL=issuer.origin,
    )
    try:
        foreign = "/api/bob/tasks"  # refused with a verified token, without the database
        for number in range(ROUND):
            token = issuer.sign("first", jti=str(number))
            answer = server.client.get(foreign, headers=bearer(token))
            assert answer.json()["code"] == "user_path_mismatch"
    finally:
        server.close()


def test_a_request_with_a_known_key_reads_no_keys_in_the_database(
    database_url: str, issuer: Issuer
):
    settings = Settings(
        database_url=database_url, better_auth_secret=None, better_auth_url=issuer.origin
    )
    with running(settings) as service:

        def get(number: int) -> int:
            headers = bearer(issuer.sign("first", jti=str(number)))
            return service.client.get(LIST, headers=headers).status_code

        assert get(0) == 200
        told = "SELECT url FROM issuer_keys WHERE ended_at IS NOT NULL"
        assert wait_until(lambda: bool(rows(database_url, told)), PATIENCE)
        with sent_by(service) as sent:
            assert {get(number) for number in range(1, 50)} == {200}

    assert sent
    assert [text for text, _ in sent if "issuer_keys" in text] == []


URL = "https://auth.example/api/auth/jwks"
SET = {"a": {"kid": "a", "kty": "OKP"}}


@pytest.fixture
def store(database_url: str) -> Iterator[IssuerKeys]:
    """The row of an issuer, on this thread."""

    async def ask_here(_: str | None, function: Callable[..., Any], *args: Any, **__: Any) -> Any:
        return function(*args)

    settings = Settings(
        database_url=database_url, better_auth_secret=None, better_auth_url="https://auth.example"
    )
    with bound(settings):
        yield IssuerKeys(URL, ask_here)


def test_the_store_gives_one_claim_and_takes_only_the_last_ones_keys(
    store: IssuerKeys, database_url: str
):
    async def story() -> None:
        old = await store.claim(None, GAP)
        assert old is not None
        assert await store.claim(None, GAP) is None
        assert (await store.look(None)).under_way
        new = await store.claim(None, 0)  # as after the gap
        assert new is not None
        assert await store.confirm(old, {"b": {"kid": "b"}}, free=True) is None
        version = await store.confirm(new, SET, free=False)
        shared = await store.look(None)
        assert (shared.version, shared.documents, shared.under_way) == (version, SET, False)
        assert (await store.look(version)).documents is None
        assert await store.claim(version, GAP) is None
        assert await store.claim(None, 0) is None  # another one has confirmed since
        last = await store.claim(version, 0)
        assert last is not None
        await store.fail(last)
        shared = await store.look(version)
        assert (shared.version, shared.under_way) == (version, False)
        assert shared.attempted is not None
        # The next confirmation leaves the documents alone, and makes room for the next fetch.
        again = await store.claim(version, 0)
        assert again is not None
        third = await store.confirm(again, None, free=True)
        assert (await store.look(version)).documents == SET
        assert (await store.look(third)).attempted is None

    asyncio.run(story())


def test_a_row_that_is_gone_is_made_again(serve: Serve, issuer: Issuer, database_url: str):
    server = serve(BETTER_AUTH_URL=issuer.origin, WEB_CONCURRENCY="1")
    assert wait_until(lambda: is_known(server, issuer), PATIENCE)
    before = len(issuer.fetches)
    rows(database_url, "DELETE FROM issuer_keys")

    ask(server, issuer.sign("first", header={"kid": "forged"}))

    assert len(issuer.fetches) == before + 1
    [row] = rows(database_url, "SELECT CAST(key_set AS text) AS key_set FROM issuer_keys")
    assert set(json_of(row["key_set"])) == {"first"}


def test_a_store_that_is_away_says_so(store: IssuerKeys, database_url: str):
    rows(database_url, "DROP TABLE issuer_keys")

    for asked in (store.look(None), store.claim(None, GAP), store.fail("2026-01-01T00:00:00.000Z")):
        with pytest.raises(KeyStoreError, match="schema"):
            asyncio.run(asked)


def test_a_moment_to_come_is_waited_for_by_nobody(serve: Serve, issuer: Issuer, database_url: str):
    server = serve(BETTER_AUTH_URL=issuer.origin)
    assert wait_until(lambda: is_known(server, issuer), PATIENCE)
    rows(database_url, "UPDATE issuer_keys SET attempted_at = '2999-01-01 00:00:00.000000'")

    issuer.add("second")
    assert ask(server, issuer.sign("second")).status_code == 200
