"""The PgBouncer of the tests does what they rely on."""

from collections import Counter
from contextlib import closing

import psycopg2
import pytest

from tests.servers.pgbouncer import POOL_SIZE, PgBouncer, StartFailed
from tests.servers.reaper import wait_until

WAIT_SECONDS = 30


@pytest.fixture
def url(new_database, pgbouncer: PgBouncer) -> str:
    return pgbouncer.url(new_database("postgresql"))


def test_transactions_of_one_client_take_every_server_connection_in_turn(url):
    with closing(psycopg2.connect(url)) as client, client.cursor() as cursor:
        client.autocommit = True

        def backends(transactions: int) -> Counter[int]:
            seen: Counter[int] = Counter()
            for _ in range(transactions):
                cursor.execute("SELECT pg_backend_pid()")
                seen.update(cursor.fetchone() or ())
            return seen

        # Its connections are made once it has time.
        assert wait_until(lambda: len(backends(POOL_SIZE)) == POOL_SIZE, WAIT_SECONDS)
        assert sorted(backends(4 * POOL_SIZE).values()) == [4] * POOL_SIZE


def test_killed_pooler_starts_again_at_the_same_url(postgres, new_database, tmp_path):
    direct = new_database("postgresql")
    with PgBouncer.start(postgres.url("postgres"), tmp_path) as pooler:
        url = pooler.url(direct)
        pooler.kill()
        with pytest.raises(psycopg2.OperationalError, match="refused"):
            psycopg2.connect(url)
        pooler.start_again()
        assert pooler.url(direct) == url
        psycopg2.connect(url).close()
    with pytest.raises(psycopg2.OperationalError, match="refused"):
        psycopg2.connect(url)


def test_pooler_that_cannot_start_shows_its_log(pgbouncer, postgres, tmp_path):
    with pytest.raises(StartFailed, match="nonsense"):
        PgBouncer.start(postgres.url("postgres"), tmp_path, "pool_mode = nonsense")
