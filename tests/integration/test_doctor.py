"""``todo doctor`` about databases, proxies and tokens: what is well, and what to do."""

import re
from pathlib import Path

import pytest

from tests.integration.server import SERVING, Server, postgresql_settings, run_todo
from tests.integration.tables import rows
from tests.servers.issuer import issuing, public_jwk
from tests.servers.postgres import PostgresServer
from tests.servers.process import free_port
from tests.servers.redis import Redis


def doctor(cwd: Path, *arguments: str, **variables: str) -> tuple[int, dict[str, str]]:
    """The exit code of `todo doctor`, and what it says of each subject."""
    run = run_todo("doctor", *arguments, cwd=cwd, **variables)
    assert run.stderr == ""
    lines = [line.split(": ", 1) for line in run.stdout.splitlines()]
    return run.returncode, dict(lines)


@pytest.fixture
def url(new_database) -> str:
    """A database for findings that have nothing to do with it."""
    return new_database("postgresql")


def failures(said: dict[str, str]) -> dict[str, str]:
    """What `todo doctor` says of each subject that is not well."""
    told = {line.partition("FAIL  ")[2]: text for line, text in said.items()}
    return {subject: text for subject, text in told.items() if subject}


def test_doctor_tells_one_cause_once(tmp_path):
    port = free_port()
    away = f"postgresql://todo@127.0.0.1:{port}/todo"
    with issuing() as issuer:
        issuer.add("a")
        variables = {"BETTER_AUTH_URL": issuer.origin, "MIGRATION_DATABASE_URL": away}
        code, said = doctor(tmp_path, DATABASE_URL=away, **variables)

    assert (code, len(said)) == (1, 15)
    assert failures(said) == {
        "database": f'connection to server at "127.0.0.1", port {port} failed: Connection refused; '
        "check DATABASE_URL and that the server runs",
        "schema": "unknown: see the line 'database'",
        "migrations": "unknown: see the line 'database'",
        "pooler": "unknown: see the line 'database'",
        "better auth": "unknown: see the line 'database'",
        "shared keys": "unknown: see the line 'schema'",
    }


def test_doctor_says_that_the_tables_are_to_be_made(postgres: PostgresServer, tmp_path):
    with issuing() as issuer:
        issuer.add("a")
        empty = postgres.create_database()
        code, said = doctor(tmp_path, DATABASE_URL=empty, BETTER_AUTH_URL=issuer.origin)

    assert code == 1
    assert failures(said) == {
        "schema": "the database has none of this API's tables; run 'todo migrate'",
        "shared keys": "unknown: see the line 'schema'",
    }


def test_doctor_says_where_migrations_go(url, postgres: PostgresServer, tmp_path):
    def at(migrations: str) -> tuple[int, dict[str, str]]:
        settings = {**postgresql_settings(url), "MIGRATION_DATABASE_URL": migrations}
        return doctor(tmp_path, **settings)

    unset, same = at(""), at(f"{url}?application_name=migrations")
    other, away = at(postgres.create_database()), at(f"{url}_away")

    assert (unset[0], unset[1]["ok    migrations"]) == (0, "'todo migrate' uses DATABASE_URL")
    assert (same[0], same[1]["ok    migrations"]) == (
        0,
        "MIGRATION_DATABASE_URL leads to the same database",
    )
    assert other[0] == 1
    assert other[1]["FAIL  migrations"] == (
        "MIGRATION_DATABASE_URL leads to another database than DATABASE_URL, so 'todo migrate' "
        "does not make the server's tables; mend one of the two"
    )
    assert away[0] == 1
    assert away[1]["FAIL  migrations"].endswith(
        '_away" does not exist; check MIGRATION_DATABASE_URL'
    )


def test_doctor_fetches_the_keys_and_tries_a_token(url, tmp_path):
    with issuing() as issuer:
        issuer.add("a", "EdDSA")
        issuer.add("b", "ES256")
        variables = {"DATABASE_URL": url, "BETTER_AUTH_URL": issuer.origin}
        good = doctor(tmp_path, "--token", issuer.sign("a"), **variables)
        bad = doctor(tmp_path, "--token", issuer.sign("a", iss="https://b.example"), **variables)
        issuer.mood = "html"
        lost = doctor(tmp_path, **variables)

    expected = f"EdDSA/ES256/RS256 with public keys, iss={issuer.origin} aud={issuer.origin}"
    assert good[0] == 0
    assert good[1]["ok    token"] == expected
    assert good[1]["ok    keys"] == f"2 at {issuer.url} (ES256, EdDSA)"
    assert good[1]["ok    your token"] == (
        "accepted; the user is 'alice'; "
        "EdDSA of Better Auth's jwt plugin: way 1 of docs/better-auth.md"
    )
    assert bad[0] == 1
    assert bad[1]["FAIL  your token"] == (
        f"issuer_mismatch: The token's 'iss' is 'https://b.example', not '{issuer.origin}'. "
        "Compare the token's 'iss' with BETTER_AUTH_URL, or with AUTH_JWKS_ISSUER or "
        "AUTH_JWT_ISSUER where one is set."
    )
    assert lost[0] == 1
    assert lost[1]["FAIL  keys"].startswith(f"{issuer.url}: the response is not a JWKS document; ")


def test_doctor_names_the_cause_of_hundreds_of_keys(url, tmp_path):
    with issuing() as issuer:
        issuer.add("a")
        issuer.documents = [public_jwk(f"{n}", *issuer.keys["a"]) for n in range(600)]
        variables = {"DATABASE_URL": url, "BETTER_AUTH_URL": issuer.origin}
        many = doctor(tmp_path, **variables)
        issuer.mood = "huge"
        huge = doctor(tmp_path, **variables)

    cause = (
        "Better Auth makes a key for every token, so new tokens wait for a fetch; set "
        "jwks.rotationInterval in its jwt plugin or update it, and delete old rows of its table "
        "'jwks'"
    )
    assert (many[0], many[1]["FAIL  keys"]) == (1, f"601 at {issuer.url} (EdDSA); {cause}")
    assert huge[1]["FAIL  keys"] == f"{issuer.url}: the response exceeds 1048576 bytes; {cause}"


def test_doctor_tells_how_long_the_shared_keys_serve_without_better_auth(database_url, tmp_path):
    with issuing() as issuer:
        issuer.add("a")
        variables = {"DATABASE_URL": database_url, "BETTER_AUTH_URL": issuer.origin}
        assert doctor(tmp_path, **variables)[1]["ok    shared keys"] == (
            "none yet; the first server that fetches the keys keeps them for all"
        )
        server = Server.start(tmp_path, command=SERVING, **variables)
        server.close()
    code, said = doctor(tmp_path, **variables)
    assert code == 1
    assert said["FAIL  keys"].startswith(issuer.url)
    assert re.fullmatch(
        r"1, confirmed \d+ s ago; without Better Auth they serve 2[34]\.\d h more",
        said["ok    shared keys"],
    )

    rows(database_url, "UPDATE issuer_keys SET confirmed_at = '2026-01-01 00:00:00.000000'")
    assert doctor(tmp_path, **variables)[1]["FAIL  shared keys"].startswith("1, which Better Auth")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "PUBLIC_URL is not set: links have no host and no prefix"),
        ({"PUBLIC_URL": "https://example.com"}, "https://example.com"),
        (
            {"PUBLIC_URL": "https://example.com/todo"},
            "https://example.com/todo; the proxy takes /todo off each path",
        ),
        (
            {"ROOT_PATH": "/todo"},
            "PUBLIC_URL is not set; the proxy takes /todo off each path",
        ),
    ],
)
def test_doctor_says_where_clients_find_the_api(tmp_path, variables, said):
    assert doctor(tmp_path, **variables)[1]["ok    address"] == said


def test_doctor_says_which_proxies_and_which_front_ends_are_believed(tmp_path):
    front_ends = "https://app.example.com,https://www.example.com"
    neither = doctor(tmp_path)[1]
    both = doctor(tmp_path, TRUSTED_PROXIES="10.0.0.0/8,192.0.2.7", CORS_ORIGINS=front_ends)[1]

    assert neither["ok    proxies"] == (
        "none is trusted, so all clients behind a proxy have the proxy's address; "
        "TRUSTED_PROXIES names it"
    )
    assert neither["ok    front ends"] == "browsers may call from http://localhost:3000"
    assert both["ok    proxies"] == "X-Forwarded-For is believed of 10.0.0.0/8, 192.0.2.7"
    assert both["ok    front ends"] == (
        "browsers may call from https://app.example.com, https://www.example.com"
    )


def test_doctor_compares_the_clock_with_better_auths(url, tmp_path):
    with issuing() as issuer:
        issuer.add("a")
        issuer.ahead = 3600
        code, said = doctor(tmp_path, DATABASE_URL=url, BETTER_AUTH_URL=issuer.origin)

    assert code == 1
    assert re.fullmatch(
        r"this machine's clock and Better Auth's differ by -3[56]\d\d s; set both by NTP, .*",
        said["FAIL  keys"],
    )


def test_doctor_finds_better_auths_tables_and_a_collision(database_url, tmp_path):
    settings = postgresql_settings(database_url)
    assert (
        doctor(tmp_path, **settings)[1]["ok    better auth"]
        == "the database has no tables of Better Auth"
    )

    rows(database_url, "CREATE TABLE jwks (id text PRIMARY KEY)")
    assert doctor(tmp_path, **settings)[1]["ok    better auth"] == (
        "the database has tables of Better Auth (jwks); this API never touches them"
    )

    rows(database_url, 'ALTER TABLE users ADD COLUMN "emailVerified" boolean')
    code, said = doctor(tmp_path, **settings)
    assert code == 1
    assert said["FAIL  better auth"].startswith("Better Auth keeps its users in the table 'users'")


def test_token_without_a_secret_says_where_tokens_come_from(tmp_path):
    run = run_todo("token", "--sub", "alice", cwd=tmp_path, BETTER_AUTH_URL="https://a.example")

    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("BETTER_AUTH_SECRET: not set, and 'todo token' signs with it; ")


def test_doctor_says_what_counts_requests_and_whether_it_answers(url, tmp_path):
    settings = postgresql_settings(url)
    with Redis.start(tmp_path) as redis:
        shared = {**settings, "RATE_LIMIT_STORAGE": redis.url, "RATE_LIMIT": "off"}
        said = [doctor(tmp_path, **settings), doctor(tmp_path, **shared)]
        redis.kill()
        code, lost = doctor(tmp_path, **shared)

    place = redis.url.removesuffix("/0")
    assert [code for code, _ in said] == [0, 0]
    assert said[0][1]["ok    limits"] == "3000/minute, counted in the memory of this machine"
    assert said[1][1]["ok    limits"] == f"off, counted in {place}"
    assert code == 1
    assert lost["FAIL  limits"] == (
        f"{place} does not answer, so nothing is counted and nothing is refused; start Redis, or "
        "mend RATE_LIMIT_STORAGE"
    )
