"""Local accounts: register, log in, renew, change the password, and who the token says one is."""

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from tests.api.expect import MOMENT, a_page, in_body, invalid, problem, refusal
from tests.api.tokens import bearer, claims, sign
from tests.conftest import SECRET, Caller, Service, settings_for
from tests.integration.application import engine_of
from tests.integration.concurrently import together
from todo.accounts.password_tries import PasswordTries
from todo.auth import local_tokens, passwords
from todo.context import context, install
from todo.rate_limits.counters import Counters

REGISTER, LOGIN = "/api/auth/register", "/api/auth/login"
RENEW, PASSWORD, ME = "/api/auth/renew", "/api/auth/password", "/api/auth/me"
CORRECT, WRONG, NEXT = "correct horse", "battery staple", "another horse"


@pytest.fixture(autouse=True)
def nobody_has_tried(service: Service) -> None:
    """All tests call from one address: each begins with none of the others' attempts."""
    app = service.application.flask
    with app.app_context():
        install(app, replace(context(), password_tries=PasswordTries(Counters.at("memory://"))))


@pytest.fixture
def email() -> str:
    return f"{uuid.uuid4().hex}@example.com"


@pytest.fixture
def account(service: Service, email: str) -> Caller:
    """Somebody who registered with ``email`` and the correct password."""
    answer = service.client.post(REGISTER, json={"email": email, "password": CORRECT})
    return holder(service, answer.json())


def holder(service: Service, session: dict[str, Any]) -> Caller:
    return Caller(service.client, session["user"]["id"], session["token"])


def log_in(service: Service, email: str, password: str = CORRECT) -> Any:
    return service.client.post(LOGIN, json={"email": email, "password": password})


def a_session(email: str, name: str | None, session: dict[str, Any]) -> dict[str, Any]:
    """The whole answer to a sign-in; the token and the user's id are those of ``session``."""
    return {
        "user": {"id": session["user"]["id"], "email": email, "name": name},
        "token": session["token"],
        "access_token": session["token"],
        "token_type": "bearer",
        "expires_in": 3600,
    }


def unverified(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def test_whoever_registers_can_create_a_task_with_either_token(service: Service, email: str):
    body = {"email": email, "password": CORRECT, "name": "Alice Ärmel"}
    answer = service.client.post(REGISTER, json=body)
    session = answer.json()

    assert answer.status_code == 201
    assert session == a_session(email, "Alice Ärmel", session)
    assert answer.headers["cache-control"] == "private, no-cache"
    alice = holder(service, session)
    task = alice.create("Buy milk")
    assert alice("GET", "").json() == a_page([task])
    assert alice("GET", "/api/me/tasks").json() == a_page([task])


def test_the_user_is_local_and_128_random_bits(account: Caller):
    prefix, _, rest = account.id.partition("_")

    assert prefix == "local"
    assert len(rest) == 32
    assert int(rest, 16) >= 0


def test_the_token_is_of_an_issuer_of_our_own_and_not_under_better_auths_secret(account: Caller):
    payload = unverified(account.token)

    assert (payload["iss"], payload["aud"]) == ("urn:todo-api:local", "urn:todo-api")
    assert payload["exp"] - payload["iat"] == 3600
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(account.token, SECRET, ["HS256"], audience="urn:todo-api")
    assert jwt.decode(
        account.token, local_tokens.derived_key(SECRET), ["HS256"], audience="urn:todo-api"
    )


def test_login_gives_the_same_user_whatever_the_case_of_the_e_mail(
    service: Service, account: Caller, email: str
):
    answer = log_in(service, email.upper())

    assert answer.status_code == 200
    assert answer.json() == a_session(email, None, answer.json())
    assert answer.json()["user"]["id"] == account.id


@pytest.mark.parametrize("registered", ["Straße@Example.com", "ÉCOLE@example.com"])
def test_an_e_mail_is_taken_whatever_its_case(service: Service, registered: str):
    body = {"email": f"{uuid.uuid4().hex}{registered}", "password": CORRECT}
    assert service.client.post(REGISTER, json=body).status_code == 201
    again = {**body, "email": body["email"].upper()}

    assert refusal(service.client.post(REGISTER, json=again)) == problem(
        "email_taken", "An account with this e-mail already exists; log in.", REGISTER
    )


def test_of_many_who_register_one_e_mail_at_once_one_does(service: Service, email: str):
    def register() -> int:
        body = {"email": email, "password": CORRECT}
        return int(service.client.post(REGISTER, json=body).status_code)

    assert sorted(together([register] * 6)) == [201] + [409] * 5


def test_a_wrong_password_and_an_unknown_e_mail_are_answered_alike(
    service: Service, account: Caller, email: str
):
    answers = [log_in(service, email, WRONG), log_in(service, f"x{email}", CORRECT)]

    for answer in answers:
        assert refusal(answer) == problem(
            "invalid_credentials", "The e-mail or the password is wrong.", LOGIN
        )
        assert answer.headers["www-authenticate"] == 'Bearer realm="todo"'


def test_an_unknown_e_mail_costs_one_hash_like_a_known_one(
    service: Service, account: Caller, email: str, monkeypatch: pytest.MonkeyPatch
):
    hashes: list[str] = []
    verify = passwords._verify

    def counting(known: str, password: str) -> bool:
        hashes.append(known.rpartition("$")[0].rpartition("$")[0])
        return verify(known, password)

    monkeypatch.setattr(passwords, "_verify", counting)
    log_in(service, email, WRONG)
    log_in(service, f"x{email}", WRONG)

    assert hashes == ["$argon2id$v=19$m=19456,t=2,p=1"] * 2


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"email": ...}, in_body("/email", "required", "is required")),
        ({"password": ...}, in_body("/password", "required", "is required")),
        (
            {"email": "alice"},
            in_body("/email", "pattern", "must be an e-mail address, with one @ and no spaces"),
        ),
        (
            {"email": "al ice@example.com"},
            in_body("/email", "pattern", "must be an e-mail address, with one @ and no spaces"),
        ),
        (
            {"email": "a@b@example.com"},
            in_body("/email", "pattern", "must be an e-mail address, with one @ and no spaces"),
        ),
        (
            {"password": "x" * 7},
            in_body("/password", "too_short", "is shorter than 8 characters"),
        ),
        (
            {"password": "x" * 129},
            in_body("/password", "too_long", "is longer than 128 characters"),
        ),
        ({"password": "x\0" * 8}, in_body("/password", "pattern", "must have no NUL")),
        (
            {"name": ""},
            in_body("/name", "too_short", "is shorter than 1 character; did you mean null?"),
        ),
        (
            {"name": "a\0b"},
            in_body("/name", "pattern", "must have no control characters"),
        ),
        (
            {"name": "a\x85b"},
            in_body("/name", "pattern", "must have no control characters"),
        ),
        (
            {"email": "a\x9f@example.com"},
            in_body("/email", "pattern", "must be an e-mail address, with one @ and no spaces"),
        ),
        ({"user_id": "bob"}, in_body("/user_id", "unknown_field", "unknown field 'user_id'")),
    ],
    ids=str,
)
def test_what_cannot_be_an_account_is_refused(service: Service, email: str, changes, error):
    body = {"email": email, "password": CORRECT, **changes}
    body = {name: value for name, value in body.items() if value is not ...}

    assert refusal(service.client.post(REGISTER, json=body)) == invalid(REGISTER, error)


@pytest.mark.parametrize("password", ["x" * 8, "x" * 128, "ü€😀 \n\t~" * 2, " " * 8])
def test_a_password_is_of_any_characters(service: Service, email: str, password: str):
    body = {"email": email, "password": password}

    assert service.client.post(REGISTER, json=body).status_code == 201
    assert log_in(service, email, password).status_code == 200
    assert log_in(service, email, password + " ").status_code in (401, 422)


def test_a_token_is_renewed_while_it_is_valid(service: Service, account: Caller, email: str):
    answer = account("POST", RENEW)

    assert answer.status_code == 200
    assert answer.json() == a_session(email, None, answer.json())
    assert holder(service, answer.json())("GET", "").status_code == 200


def test_a_changed_password_ends_older_tokens_and_the_old_password(
    service: Service, account: Caller, email: str
):
    account.create("Buy milk")
    change = account("POST", PASSWORD, json={"password": CORRECT, "new_password": NEXT})
    assert (change.status_code, change.content) == (204, b"")

    for method, path in [("GET", account.tasks), ("POST", RENEW), ("GET", ME)]:
        answer = account(method, path)
        assert refusal(answer) == problem(
            "token_revoked", "The account's password was changed after this token was issued.", path
        )
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert log_in(service, email, CORRECT).status_code == 401
    session = log_in(service, email, NEXT).json()
    assert session["user"]["id"] == account.id
    assert holder(service, session)("GET", "").json()["total"] == 1


def test_a_wrong_current_password_changes_nothing_and_is_no_401(service: Service, account: Caller):
    answer = account("POST", PASSWORD, json={"password": WRONG, "new_password": NEXT})

    assert refusal(answer) == problem("wrong_password", "The current password is wrong.", PASSWORD)
    assert account("GET", "").status_code == 200


def test_of_two_who_change_a_password_at_once_one_does(service: Service, account: Caller):
    def change(new: str) -> Callable[[], int]:
        body = {"password": CORRECT, "new_password": new}
        return lambda: int(account("POST", PASSWORD, json=body).status_code)

    statuses = sorted(together([change(NEXT), change(WRONG)]))
    assert statuses[0] == 204
    assert statuses[1] in (401, 403)  # after the first one the token is revoked, too


@pytest.mark.parametrize("path", [RENEW, PASSWORD])
def test_a_token_of_somebody_else_has_no_account_here(alice: Caller, path: str):
    body = {"json": {"password": CORRECT, "new_password": NEXT}} if path == PASSWORD else {}

    assert refusal(alice("POST", path, **body)) == problem(
        "not_a_local_account", "The token does not belong to an account of this server.", path
    )


@pytest.mark.parametrize("generation", [0, 2, "1", None, [1]])
def test_only_the_generation_of_the_present_password_is_current(
    service: Service, account: Caller, generation: Any
):
    payload = {**unverified(account.token), local_tokens.GENERATION: generation}
    token = jwt.encode(payload, local_tokens.derived_key(SECRET), "HS256")
    answer = service.client.get(account.tasks, headers=bearer(token))

    assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked")


def test_a_hash_of_other_parameters_is_replaced_at_the_next_login(
    service: Service, account: Caller, email: str
):
    def stored() -> str:
        query = text("SELECT password_hash FROM accounts WHERE user_id = :user")
        with engine_of(service).connect() as connection:
            return str(connection.execute(query, {"user": account.id}).scalar_one())

    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(CORRECT)
    weaken = text("UPDATE accounts SET password_hash = :weak WHERE user_id = :user")
    with engine_of(service).connect() as connection:
        connection.execute(weaken, {"weak": weak, "user": account.id})

    assert log_in(service, email, WRONG).status_code == 401
    assert stored() == weak
    assert log_in(service, email).status_code == 200
    assert stored().startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert account("GET", "").status_code == 200
    assert log_in(service, email).status_code == 200


def test_a_login_that_renews_the_hash_does_not_stand_in_the_way_of_a_change(
    service: Service, account: Caller, email: str, monkeypatch: pytest.MonkeyPatch
):
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(CORRECT)
    weaken = text("UPDATE accounts SET password_hash = :weak WHERE user_id = :user")
    with engine_of(service).connect() as connection:
        connection.execute(weaken, {"weak": weak, "user": account.id})
    digest = passwords.digest

    def after_a_login(password: str) -> str:
        if password == NEXT:
            assert log_in(service, email).status_code == 200
        return digest(password)

    monkeypatch.setattr(passwords, "digest", after_a_login)
    change = account("POST", PASSWORD, json={"password": CORRECT, "new_password": NEXT})

    assert change.status_code == 204
    assert log_in(service, email, NEXT).status_code == 200
    assert log_in(service, email, CORRECT).status_code == 401


COMPOSED, DECOMPOSED = "caf\u00e9 s\u00e9same", "cafe\u0301\u00a0se\u0301same"


def test_a_password_is_one_however_its_accents_and_spaces_are_written(
    service: Service, account: Caller, email: str
):
    change = account("POST", PASSWORD, json={"password": CORRECT, "new_password": DECOMPOSED})

    assert change.status_code == 204
    assert log_in(service, email, COMPOSED).status_code == 200
    assert log_in(service, email, DECOMPOSED).status_code == 200
    assert log_in(service, email, COMPOSED.upper()).status_code == 401


def test_a_hash_of_the_password_as_it_was_sent_is_accepted_and_renewed(
    service: Service, account: Caller, email: str
):
    old = passwords._HASHER.hash(DECOMPOSED)
    keep = text("UPDATE accounts SET password_hash = :old WHERE user_id = :user")
    with engine_of(service).connect() as connection:
        connection.execute(keep, {"old": old, "user": account.id})

    assert log_in(service, email, COMPOSED).status_code == 401
    assert log_in(service, email, DECOMPOSED).status_code == 200
    assert log_in(service, email, COMPOSED).status_code == 200


def test_a_password_that_preparation_changes_costs_two_hashes_for_an_unknown_e_mail_too(
    service: Service, account: Caller, email: str, monkeypatch: pytest.MonkeyPatch
):
    tried: list[str] = []
    verify = passwords._verify

    def counting(known: str, password: str) -> bool:
        tried.append(password)
        return verify(known, password)

    monkeypatch.setattr(passwords, "_verify", counting)
    log_in(service, email, DECOMPOSED)
    log_in(service, f"x{email}", DECOMPOSED)

    assert tried == [COMPOSED, DECOMPOSED] * 2


def test_two_logins_in_one_second_give_two_tokens(service: Service, account: Caller, email: str):
    tokens = [log_in(service, email).json()["token"] for _ in range(3)]

    assert len(set(tokens)) == 3


def test_local_accounts_that_are_off_are_not_there(database_url, serve):
    service = serve(settings_for(database_url, local_accounts=False))
    for path in (REGISTER, LOGIN, RENEW, PASSWORD):
        answer = service.client.post(path, json={})
        assert refusal(answer) == problem("not_found", "Resource not found.", path)

    for path in ("/demo", "/demo/page.js"):
        answer = service.client.get(path)
        assert refusal(answer) == problem("not_found", "Resource not found.", path)
    assert "demo" not in service.client.get("/").json()
    assert "/demo" not in service.client.get("/", headers={"Accept": "text/html"}).text

    contract = service.client.get("/openapi.json").json()
    assert "/demo" not in contract["paths"]
    assert [path for path in contract["paths"] if path.startswith("/api/auth")] == [ME]
    assert {"accounts", "demo"}.isdisjoint(tag["name"] for tag in contract["tags"])
    token, _ = local_tokens.issue(SECRET, "local_" + "0" * 32, email="a@b", name=None, generation=1)
    assert refusal(service.client.get("/api/me/tasks", headers=bearer(token))) == problem(
        "issuer_mismatch", "Local accounts are off on this server.", "/api/me/tasks"
    )


def test_me_shows_what_the_token_of_an_account_says(account: Caller, email: str):
    assert account("GET", ME).json() == {
        "id": account.id,
        "email": email,
        "name": None,
        "issuer": "urn:todo-api:local",
        "expires_at": MOMENT,
    }


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, {}),
        (
            {"email": "a@b.example", "name": "Alice", "iss": "https://a.example"},
            {"email": "a@b.example", "name": "Alice", "issuer": "https://a.example"},
        ),
        ({"email": 5, "name": ["Alice"]}, {}),
        ({"email": "", "name": "x" * 201}, {}),
        ({"email": "a\0b", "name": "\ud800"}, {}),
        ({"exp": 2_000_000_000}, {"expires_at": "2033-05-18T03:33:20.000Z"}),
        ({"exp": 253402300799}, {"expires_at": "9999-12-31T23:59:59.000Z"}),
        ({"name": "a\u3000b\u00a0c\u200c\u200d"}, {"name": "a\u3000b\u00a0c\u200c\u200d"}),
    ],
    ids=ascii,
)
def test_me_shows_nothing_that_the_token_does_not_say(client, given, shown):
    nothing = {"id": "alice", "email": None, "name": None, "issuer": None, "expires_at": MOMENT}

    assert client.get(ME, headers=bearer(sign(claims(**given)))).json() == {**nothing, **shown}


# What tokens say is kept beside the user's counter.


def kept(service: Service, user_id: str) -> list[tuple[str | None, str | None]]:
    query = text("SELECT email, name FROM users WHERE id = :user_id")
    with engine_of(service).connect() as connection:
        return [tuple(row) for row in connection.execute(query, {"user_id": user_id})]


def with_claims(service: Service, user_id: str, **said: Any) -> Caller:
    payload = {"sub": user_id, "exp": int(time.time()) + 60, **said}
    return Caller(service.client, user_id, sign(payload))


def test_what_a_token_says_is_kept_with_the_next_change_and_never_unsaid(
    service: Service, alice: Caller
):
    first = with_claims(service, alice.id, email="a@b.example", name="Alice")
    first("GET", "")
    assert kept(service, alice.id) == []

    task = first.create("Buy milk")
    assert kept(service, alice.id) == [("a@b.example", "Alice")]

    silent = with_claims(service, alice.id)
    silent("PUT", str(task["id"]), json={"title": "Buy oat milk"})
    assert kept(service, alice.id) == [("a@b.example", "Alice")]

    renamed = with_claims(service, alice.id, email=5, name="Alice B.")
    renamed("GET", str(task["id"]))
    renamed("PUT", str(task["id"]), json={"title": "Buy oat milk"})  # changes nothing
    assert kept(service, alice.id) == [("a@b.example", "Alice")]
    renamed("PATCH", f"{task['id']}/complete")
    assert kept(service, alice.id) == [("a@b.example", "Alice B.")]
    renamed("DELETE", str(task["id"]))
    assert kept(service, alice.id) == [("a@b.example", "Alice B.")]
