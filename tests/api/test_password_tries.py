"""Wrong passwords: how many there may be, what counts, and whom they do not lock out."""

import uuid
from dataclasses import replace
from typing import Any

import orjson
import pytest

from tests.api.expect import problem, refusal
from tests.api.raw_asgi import send
from tests.clock import Clock
from tests.conftest import Caller, Service
from tests.integration.concurrently import together
from todo.accounts.password_tries import PasswordTries
from todo.auth import passwords
from todo.context import context, install
from todo.problems import Problem
from todo.rate_limits.counters import Counters
from todo.rate_limits.shared_memory import SharedMemoryStorage

REGISTER, LOGIN, PASSWORD = "/api/auth/register", "/api/auth/login", "/api/auth/password"
CORRECT, WRONG, NEXT = "correct horse", "battery staple", "another horse"
HOME, ELSEWHERE = "198.51.100.1", "203.0.113.1"
OFFICE = "192.0.2.1"
WINDOW = 900


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def tries(service: Service, clock: Clock) -> PasswordTries:
    """The tries of one test, which begins with none of the others'."""
    tries = PasswordTries(Counters(SharedMemoryStorage(clock=clock), clock=clock))
    app = service.application.flask
    with app.app_context():
        install(app, replace(context(), password_tries=tries))
    return tries


@pytest.fixture
def email() -> str:
    return f"{uuid.uuid4().hex}@example.com"


@pytest.fixture
def owner(service: Service, email: str) -> Caller:
    """Whoever registered with ``email`` and the correct password."""
    session = post(service, REGISTER, {"email": email, "password": CORRECT}).json()
    return Caller(service.client, session["user"]["id"], session["token"])


def post(service: Service, path: str, body: Any, peer: str = HOME) -> Any:
    headers = [("content-type", "application/json")]
    chunks = [orjson.dumps(body)]
    return send(service.client, "POST", path, headers=headers, chunks=chunks, peer=peer)


def log_in(service: Service, email: str, password: str = CORRECT, peer: str = HOME) -> Any:
    return post(service, LOGIN, {"email": email, "password": password}, peer)


def fail(tries: PasswordTries, number: int, account: str, *, address: str) -> None:
    """Count wrong logins without the cost of their hashes."""
    for _ in range(number):
        with pytest.raises(Problem, match="wrong"), tries.log_in(account, address):
            raise Problem("invalid_credentials", "wrong")


def assert_limited(answer: Any, path: str, policy: str) -> None:
    seconds = answer.headers["retry-after"]
    assert refusal(answer) == problem(
        "too_many_attempts", f"Too many attempts; try again in {seconds} s.", path
    )
    assert answer.status_code == 429
    assert 0 < int(seconds) <= WINDOW
    assert answer.headers["ratelimit"].startswith(f'"{policy}-900s";r=0;t={seconds}')
    assert answer.headers["ratelimit-policy"].startswith(f'"{policy}-900s";q=1')


def test_ten_wrong_passwords_from_an_address_are_enough_even_for_the_right_one(
    service: Service, owner: Caller, email: str
):
    for _ in range(10):
        assert log_in(service, email, WRONG).status_code == 401

    assert_limited(log_in(service, email), LOGIN, "login")
    assert_limited(log_in(service, email.upper()), LOGIN, "login")


def test_wrong_passwords_from_elsewhere_do_not_lock_the_owner_out(
    service: Service, owner: Caller, email: str
):
    for _ in range(10):
        assert log_in(service, email, WRONG, ELSEWHERE).status_code == 401
    assert_limited(log_in(service, email, WRONG, ELSEWHERE), LOGIN, "login")

    assert log_in(service, email).status_code == 200
    change = {"password": CORRECT, "new_password": NEXT}
    assert owner("POST", PASSWORD, json=change).status_code == 204


def test_an_account_has_a_hundred_wrong_passwords_from_all_addresses_together(
    service: Service, owner: Caller, email: str, tries: PasswordTries
):
    for number in range(10):
        fail(tries, 10, email, address=f"203.0.113.{number}")

    assert_limited(log_in(service, email), LOGIN, "login-account")


def test_an_unknown_e_mail_is_limited_like_a_known_one(service: Service, email: str):
    for _ in range(10):
        assert log_in(service, email, WRONG).status_code == 401

    assert_limited(log_in(service, email, WRONG), LOGIN, "login")


def test_the_right_password_begins_the_count_anew_for_its_address_alone(
    service: Service, owner: Caller, email: str, tries: PasswordTries
):
    for number in range(9):
        fail(tries, 10, email, address=f"203.0.113.{number}")
    fail(tries, 9, email, address=HOME)
    assert log_in(service, email).status_code == 200
    fail(tries, 1, email, address=HOME)

    assert_limited(log_in(service, email), LOGIN, "login-account")


def test_right_logins_of_a_whole_office_lock_nobody_out(
    service: Service, owner: Caller, email: str, tries: PasswordTries
):
    for number in range(300):
        with tries.log_in(f"user{number}@example.com", OFFICE):
            pass
    for _ in range(12):
        assert log_in(service, email, peer=OFFICE).status_code == 200


def test_a_hundred_wrong_logins_from_an_address_are_enough_for_logins_alone(
    service: Service, owner: Caller, email: str, tries: PasswordTries
):
    for number in range(100):
        fail(tries, 1, f"user{number}@example.com", address=OFFICE)

    assert_limited(log_in(service, email, peer=OFFICE), LOGIN, "login-address")
    assert log_in(service, email).status_code == 200
    another = {"email": f"x{email}", "password": CORRECT}
    assert post(service, REGISTER, another, OFFICE).status_code == 201


def test_e_mails_that_are_taken_count_for_registrations_alone(
    service: Service, owner: Caller, email: str, tries: PasswordTries
):
    taken = {"email": email, "password": CORRECT}
    assert post(service, REGISTER, taken, OFFICE).status_code == 409
    for _ in range(99):
        with pytest.raises(Problem), tries.register(OFFICE):
            raise Problem("email_taken", "taken")

    another = {"email": f"x{email}", "password": CORRECT}
    assert_limited(post(service, REGISTER, another, OFFICE), REGISTER, "register")
    assert post(service, REGISTER, another).status_code == 201
    assert log_in(service, email, peer=OFFICE).status_code == 200


def test_registrations_that_succeed_do_not_count(tries: PasswordTries):
    for _ in range(300):
        with tries.register(OFFICE):
            pass


def test_ten_wrong_present_passwords_are_enough_and_lock_no_login(
    service: Service, owner: Caller, email: str
):
    wrong = {"password": WRONG, "new_password": NEXT}
    for _ in range(10):
        assert owner("POST", PASSWORD, json=wrong).status_code == 403

    right = {"password": CORRECT, "new_password": NEXT}
    assert_limited(owner("POST", PASSWORD, json=right), PASSWORD, "password")
    assert log_in(service, email).status_code == 200


def test_what_the_server_could_not_check_does_not_count(
    service: Service, owner: Caller, email: str, monkeypatch
):
    def busy(*_: Any) -> bool:
        raise passwords.OverloadedError

    with monkeypatch.context() as patch:
        patch.setattr(passwords, "matches", busy)
        for _ in range(12):
            assert log_in(service, email).status_code == 503

    assert log_in(service, email).status_code == 200


def test_wrong_passwords_at_the_same_time_count_before_they_are_checked(
    service: Service, owner: Caller, email: str
):
    answers = together([lambda: log_in(service, email, WRONG)] * 20)
    seen = [answer.status_code for answer in answers]

    assert 1 <= seen.count(401) <= 10
    assert seen.count(429) >= 10


def test_addresses_of_one_subscriber_count_together(service: Service, email: str):
    for number in range(10):
        peer = f"2001:db8:1:2:{number:x}::1"
        assert log_in(service, email, WRONG, peer).status_code == 401

    assert_limited(log_in(service, email, WRONG, "2001:db8:1:2:ffff::1"), LOGIN, "login")
    assert log_in(service, email, WRONG, "2001:db8:1:3::1").status_code == 401


def test_wrong_passwords_are_forgotten_when_the_window_ends(
    service: Service, email: str, clock: Clock
):
    for _ in range(10):
        assert log_in(service, email, WRONG).status_code == 401
    refused = log_in(service, email, WRONG)

    clock.now += int(refused.headers["retry-after"]) - 1
    assert_limited(log_in(service, email, WRONG), LOGIN, "login")
    clock.now += 1
    assert log_in(service, email, WRONG).status_code == 401
