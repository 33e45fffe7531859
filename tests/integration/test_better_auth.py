"""The API as a front end of a real Better Auth server meets it: one variable, and it is in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.api.expect import a_page, a_task, problem, refusal
from tests.api.tokens import bearer
from tests.conftest import DIALECTS, Caller
from tests.integration.server import SERVING, Server
from tests.servers.better_auth import (
    ISSUER,
    SECRET,
    BetterAuth,
    SignedIn,
    better_auth,
    better_auths,
    instance,
)
from tests.servers.process import free_port
from tests.servers.reaper import wait_until
from todo.settings.settings import Settings

LIST = "/api/me/tasks"
PATIENCE = 20

Serve = Callable[..., Server]


@pytest.fixture
def url(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> str:
    """A fresh database: what verifies a token knows of none, and most tests are about that."""
    return new_database(getattr(request, "param", "postgresql"))


on_each_dialect = pytest.mark.parametrize("url", DIALECTS, indirect=True)


@pytest.fixture
def serve(url: str, tmp_path: Path) -> Iterator[Serve]:
    """Start the API with ``variables`` beside its database."""
    servers: list[Server] = []

    def start(**variables: str) -> Server:
        servers.append(
            Server.start(
                tmp_path,
                command=SERVING,
                ready="/livez",
                DATABASE_URL=url,
                WEB_CONCURRENCY="1",
                **variables,
            )
        )
        return servers[-1]

    yield start
    for server in servers:
        server.close()


NAMES = (
    "http://auth.localhost:3000/",
    "http://auth.localhost:3000/api/auth",
    "http://auth.localhost:80",
    "HTTP://Auth.Localhost:3000",
)
"""Some ways to write a URL of Better Auth's."""
AUDIENCE = "http://api.localhost"


def at_its_own_url() -> dict[str, str]:
    """A server that is called what it listens at."""
    port = free_port()
    return instance(port=port, issuer=f"http://localhost:{port}")


@pytest.fixture(scope="module")
def auths() -> Iterator[dict[str, BetterAuth]]:
    """Every server that no test stops, by what is special about it, in one process."""
    instances = {
        "at its own URL": at_its_own_url(),
        "eddsa": instance(),
        "es256": instance(JWT_MODE="es256"),
        "rs256": instance(JWT_MODE="rs256"),
        "hs256": instance(JWT_MODE="hs256-sign"),
        "audience": instance(JWT_AUDIENCE=AUDIENCE),
        "hs256, audience": instance(JWT_MODE="hs256-sign", JWT_AUDIENCE=AUDIENCE),
        **{name: instance(issuer=name) for name in NAMES},
    }
    with better_auths(*instances.values()) as servers:
        yield dict(zip(instances, servers, strict=True))


@pytest.fixture
def auth(auths: dict[str, BetterAuth]) -> BetterAuth:
    """A server as most are."""
    return auths["eddsa"]


@pytest.fixture
def auth_with_a_secret(auths: dict[str, BetterAuth]) -> BetterAuth:
    """The same, signing HS256."""
    return auths["hs256"]


def keys_of(auth: BetterAuth, **variables: str) -> dict[str, str]:
    """The settings for an issuer that is called something else than where it listens."""
    return {"BETTER_AUTH_URL": ISSUER, "AUTH_JWKS_URL": auth.jwks_url, **variables}


def ask(server: Server, token: str) -> Any:
    return server.client.get(LIST, headers=bearer(token))


def assert_is_in(server: Server, user: SignedIn, token: str) -> None:
    """The user creates a task, reads it, and is who Better Auth says."""
    caller = Caller(server.client, user.id, token)
    task = caller.create("Buy milk")
    assert task == a_task(user.id, 1, "Buy milk")
    assert caller("GET", "").json() == a_page([task])
    assert caller("GET", "/api/auth/me").json()["email"] == user.email


def assert_refused(answer: Any, code: str, detail: str) -> None:
    assert refusal(answer) == problem(code, detail, LIST)
    challenge = f'Bearer realm="todo", error="invalid_token", error_description="{detail}"'
    assert answer.headers["www-authenticate"] == challenge


@on_each_dialect
def test_better_auths_url_is_the_one_variable_to_set(serve: Serve, auths: dict[str, BetterAuth]):
    auth = auths["at its own URL"]
    server = serve(BETTER_AUTH_URL=auth.url.replace("127.0.0.1", "localhost"))
    user = auth.sign_up("alice")

    assert wait_until(lambda: ask(server, auth.token(user)).status_code == 200, PATIENCE)
    assert_is_in(server, user, auth.token(user))


@pytest.mark.parametrize(
    ("mode", "algorithm"), [("eddsa", "EdDSA"), ("es256", "ES256"), ("rs256", "RS256")]
)
def test_tokens_of_the_jwt_plugin_are_accepted(
    serve: Serve, auths: dict[str, BetterAuth], mode: str, algorithm: str
):
    user = auths[mode].sign_up("alice")
    token = auths[mode].token(user)
    server = serve(**keys_of(auths[mode]))

    assert jwt.get_unverified_header(token)["alg"] == algorithm
    assert_is_in(server, user, token)


@on_each_dialect
def test_hs256_tokens_are_accepted_hand_made_or_by_a_custom_sign_function(
    serve: Serve, auth: BetterAuth, auth_with_a_secret: BetterAuth
):
    server = serve(BETTER_AUTH_SECRET=SECRET)
    alice = auth.sign_up("alice")
    assert_is_in(server, alice, auth.hand_made_token(alice))

    bob = auth_with_a_secret.sign_up("bob")
    token = auth_with_a_secret.token(bob)
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    assert_is_in(server, bob, token)


def test_the_issuer_and_the_audience_of_hs256_tokens_are_checked_once_they_are_set(
    serve: Serve, auths: dict[str, BetterAuth], auth_with_a_secret: BetterAuth
):
    server = serve(BETTER_AUTH_SECRET=SECRET, AUTH_JWT_ISSUER=ISSUER, AUTH_JWT_AUDIENCE=AUDIENCE)
    auth = auths["hs256, audience"]
    user = auth.sign_up("alice")
    assert_is_in(server, user, auth.token(user))
    assert_refused(
        ask(server, auth.hand_made_token(user)), "issuer_mismatch", "The token has no 'iss'."
    )
    assert_refused(
        ask(server, auth_with_a_secret.token(auth_with_a_secret.sign_up("bob"))),
        "audience_mismatch",
        f"The token's 'aud' is '{ISSUER}', not 'http://api.localhost'.",
    )


def test_an_audience_of_its_own_is_accepted_once_it_is_set(
    serve: Serve, auths: dict[str, BetterAuth]
):
    auth = auths["audience"]
    user = auth.sign_up("alice")
    server = serve(**keys_of(auth, AUTH_JWKS_AUDIENCE=AUDIENCE))

    assert_is_in(server, user, auth.token(user))


@pytest.mark.parametrize("url", NAMES)
def test_better_auth_names_itself_as_the_settings_expect_however_its_url_is_written(
    auths: dict[str, BetterAuth], url: str
):
    token = auths[url].token(auths[url].sign_up("alice"))

    claims = jwt.decode(token, options={"verify_signature": False})
    settings = Settings(better_auth_secret=None, better_auth_url=url)
    assert (claims["iss"], claims["aud"]) == (settings.jwks_issuer, settings.jwks_audience)


def test_other_jwts_and_tokens_of_better_auth_sign_nobody_in(serve: Serve, auth: BetterAuth):
    server = serve(**keys_of(auth, BETTER_AUTH_SECRET=SECRET))
    user = auth.sign_up("carol")

    assert ask(server, auth.token(user)).status_code == 200
    assert ask(server, auth.hand_made_token(user)).status_code == 200
    assert_refused(
        ask(server, user.session),
        "token_malformed",
        "The token is not a JWT; it may be an opaque session token.",
    )
    for other in (auth.verification_token(user), user.cached):
        assert jwt.get_unverified_header(other)["alg"] == "HS256"
        assert "sub" not in jwt.decode(other, SECRET, ["HS256"])
        assert_refused(ask(server, other), "claim_missing", "The token has no 'sub'.")


def test_what_the_settings_do_not_name_is_refused_by_code(serve: Serve, auth: BetterAuth):
    user = auth.sign_up("dave")
    moved = serve(AUTH_JWKS_URL=auth.jwks_url, BETTER_AUTH_URL="http://moved.localhost:3000")
    assert_refused(
        ask(moved, auth.token(user)),
        "issuer_mismatch",
        f"The token's 'iss' is '{ISSUER}', not 'http://moved.localhost:3000'.",
    )
    assert_refused(
        ask(moved, auth.hand_made_token(user)),
        "alg_not_allowed",
        "Only EdDSA, ES256, RS256 is accepted.",
    )
    elsewhere = serve(**keys_of(auth, AUTH_JWKS_AUDIENCE="https://api.example.com"))
    assert_refused(
        ask(elsewhere, auth.token(user)),
        "audience_mismatch",
        f"The token's 'aud' is '{ISSUER}', not 'https://api.example.com'.",
    )
    other_secret = serve(BETTER_AUTH_SECRET=f"another-{SECRET}")
    assert_refused(
        ask(other_secret, auth.hand_made_token(user)),
        "signature_invalid",
        "The signature does not match the token.",
    )
    assert_refused(
        ask(other_secret, auth.token(user)), "alg_not_allowed", "Only HS256 is accepted."
    )
    rotated = serve(BETTER_AUTH_SECRET=f"another-{SECRET}", BETTER_AUTH_SECRET_PREVIOUS=SECRET)
    assert ask(rotated, auth.hand_made_token(user)).status_code == 200


def test_after_a_rotation_both_keys_work_and_an_outage_changes_nothing(serve: Serve):
    with better_auth(JWKS_ROTATION="1") as auth:
        user = auth.sign_up("alice")
        old = auth.token(user)
        server = serve(**keys_of(auth))
        assert ask(server, old).status_code == 200

        def rotated() -> bool:
            kids = {jwt.get_unverified_header(each)["kid"] for each in (old, auth.token(user))}
            return len(kids) == 2

        assert wait_until(rotated, PATIENCE)
        new = auth.token(user)
        assert wait_until(lambda: ask(server, new).status_code == 200, PATIENCE)
        assert ask(server, old).status_code == 200

        auth.stop()
        assert [ask(server, token).status_code for token in (old, new) * 3] == [200] * 6
        assert server.client.get("/readyz").status_code == 200


def test_a_key_outlives_its_better_auth_for_tokens_that_were_never_seen_before(serve: Serve):
    with better_auth() as auth:
        alice, bob = auth.sign_up("alice"), auth.sign_up("bob")
        seen, unseen = auth.token(alice), auth.token(bob)
        server = serve(**keys_of(auth, AUTH_JWKS_FRESH_SECONDS="10"))
        assert ask(server, seen).status_code == 200

        auth.stop()
        assert wait_until(lambda: "jwks.failed" in server.process.log(), PATIENCE)
        assert_is_in(server, bob, unseen)


def test_a_better_auth_that_was_never_there_is_503_until_it_is(serve: Serve, auth: BetterAuth):
    token = auth.token(auth.sign_up("erin"))
    port = free_port()
    server = serve(BETTER_AUTH_URL=ISSUER, AUTH_JWKS_URL=f"http://127.0.0.1:{port}/api/auth/jwks")
    answer = ask(server, token)

    assert refusal(answer) == problem(
        "keys_unavailable", "The keys that verify this token are unavailable right now.", LIST
    )
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    with better_auth(port=port) as late:
        own = late.token(late.sign_up("frank"))
        assert wait_until(lambda: ask(server, own).status_code == 200, PATIENCE)
