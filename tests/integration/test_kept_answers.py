"""What is kept of the answers to requests with a key: how much, and whose."""

from functools import partial

from tests.conftest import Caller
from tests.integration.tables import rows, value
from todo.sync.statements import MOST_BLOCKS
from todo.sync.writer import BLOCK_BYTES

REPLAYED = "idempotency-replayed"
FILL = """
INSERT INTO idempotency_keys (user_id, key, fingerprint, answer, last_block, created_at)
WITH RECURSIVE more(block) AS (SELECT 2 UNION ALL SELECT block + 1 FROM more WHERE block < :last)
SELECT :owner, 'more ' || CAST(block AS text), :nothing, :nothing, block,
       (SELECT created_at FROM idempotency_keys WHERE user_id = :owner)
  FROM more
"""
EXPIRE = """
UPDATE idempotency_keys SET created_at = '2020-01-01 00:00:00.000000' WHERE key = :key
"""
LAST = "SELECT max(last_block) FROM idempotency_keys WHERE user_id = :owner"


def create(caller: Caller, key: str, title: str = "Buy milk") -> tuple[int, bool]:
    """The id of the task, and whether the answer was an earlier one."""
    answer = caller("POST", "", json={"title": title}, headers={"Idempotency-Key": key})
    return answer.json()["id"], REPLAYED in answer.headers


def test_the_last_answers_of_a_user_are_kept_and_the_oldest_go(database_url, service_on):
    service = service_on(database_url)
    alice, bob = service.caller("alice"), service.caller("bob")
    assert [create(alice, "first"), create(bob, "first")] == [(1, False), (1, False)]
    rows(database_url, FILL, owner="alice", last=MOST_BLOCKS, nothing=b"")

    assert create(alice, "first") == (1, True)
    assert create(alice, "one too many") == (2, False)

    assert create(alice, "first") == (3, False)
    assert create(alice, "one too many") == (2, True)
    assert create(bob, "first") == (1, True)
    kept = value(database_url, "SELECT count(*) FROM idempotency_keys WHERE user_id = 'alice'")
    assert kept == MOST_BLOCKS


def test_a_long_answer_takes_several_blocks(database_url, service_on):
    alice = service_on(database_url).caller("alice")
    operations = [{"op": "create", "data": {"title": "x" * 200}}] * 30
    bulk = partial(
        alice, "POST", "bulk", json={"operations": operations}, headers={"Idempotency-Key": "bulk"}
    )

    assert create(alice, "one") == (1, False)
    assert value(database_url, LAST, owner="alice") == 1
    first = bulk()
    blocks = value(database_url, LAST, owner="alice") - 1
    assert len(first.content) // BLOCK_BYTES <= blocks <= len(first.content) // BLOCK_BYTES + 2
    assert bulk().content == first.content
    assert value(database_url, LAST, owner="alice") == 1 + blocks


def test_answers_are_kept_with_the_change_or_not_at_all(database_url, service_on):
    alice = service_on(database_url, tasks_per_user=1).caller("alice")
    create(alice, "made")
    refused = alice("POST", "", json={"title": "x"}, headers={"Idempotency-Key": "refused"})

    assert refused.status_code == 403
    assert rows(database_url, "SELECT user_id, key FROM idempotency_keys") == [
        {"user_id": "alice", "key": "made"}
    ]


def test_a_key_that_has_expired_and_is_the_oldest_is_renewed_and_not_let_go(
    database_url, service_on
):
    alice = service_on(database_url).caller("alice")
    create(alice, "first")
    rows(database_url, FILL, owner="alice", last=MOST_BLOCKS, nothing=b"")
    rows(database_url, EXPIRE, key="first")

    assert create(alice, "first") == (2, False)

    assert create(alice, "first") == (2, True)
    kept = value(database_url, "SELECT count(*) FROM idempotency_keys WHERE key = 'first'")
    assert (kept, value(database_url, LAST, owner="alice")) == (1, MOST_BLOCKS + 1)
