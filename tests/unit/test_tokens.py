"""Tokens without any HTTP: `todo.auth`. What clients see of it is in `tests/api`."""

import asyncio
import json
import re
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.tokens import claims, sign
from tests.clock import Clock
from tests.conftest import SECRET
from todo.auth.invalid_token import InvalidTokenError, shown, why_not_bearer
from todo.auth.token_cache import CAPACITY, CachingVerifier
from todo.auth.tokens import HS256, Family, SharedSecret, Verifier, mint

FAMILY = Family((HS256,), SharedSecret(SECRET.encode()))
VERIFIER = Verifier([FAMILY], leeway=10)
START = Clock.now


def payload_of(token):
    """The claims of a token, unverified."""
    part = token.split(".")[1]
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def verified(verifier, token):
    """The claims of ``token``."""
    return asyncio.run(verifier.verify(token))


def error_of(verifier, token):
    """The code that ``token`` is refused with."""
    with pytest.raises(InvalidTokenError) as raised:
        verified(verifier, token)
    return raised.value.code


class Counting(Verifier):
    """A real verifier that counts how often it is asked."""

    asked = 0

    async def verify(self, token):
        self.asked += 1
        return await super().verify(token)


@pytest.fixture
def clock():
    """A clock that stands at the start."""
    return Clock()


@pytest.fixture
def counting():
    """A verifier that counts."""
    return Counting([FAMILY], leeway=10)


@pytest.fixture
def caching(counting, clock):
    """A verifier with a cache in front of the counting one."""
    return CachingVerifier(counting, leeway=10, clock=clock)


def test_a_minted_token_is_accepted_and_names_its_user_and_times_only():
    token = mint(SECRET, "alice", hours=2)
    payload = payload_of(token)

    assert verified(VERIFIER, token) == payload
    assert payload == {
        "sub": "alice",
        "iat": payload["iat"],
        "exp": payload["iat"] + 7200,
        "jti": payload["jti"],
    }
    assert mint(SECRET, "alice", hours=2) != token


@pytest.mark.parametrize("subject", ["", "x" * 256, "a\nb", "a\0b", "\ud800"])
def test_a_token_that_no_server_would_accept_is_not_minted(subject):
    with pytest.raises(InvalidTokenError) as raised:
        mint(SECRET, subject, hours=1)

    assert raised.value.code == "claim_missing"


@pytest.mark.parametrize(
    ("hours", "code"), [(24 * 366 * 9000, "token_malformed"), (1e-4, "token_expired")]
)
def test_a_token_of_times_that_no_server_would_accept_is_not_minted(hours, code):
    with pytest.raises(InvalidTokenError) as raised:
        mint(SECRET, "alice", hours=hours)

    assert raised.value.code == code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_whatever_a_claim_is_what_is_shown_of_it_is_short_and_safe_in_a_header(claim):
    assert re.fullmatch(r"[ !#-\[\]-~]{1,85}", shown(claim))


def test_a_claim_that_is_nested_beyond_what_json_is_written_of_is_shown_as_that():
    claim = []
    for _ in range(200_000):
        claim = [claim]

    assert shown(claim) == "nested too deeply"


@given(st.text() | st.from_regex(r"[A-Za-z-]{1,30}", fullmatch=True), st.text())
def test_the_sentence_about_another_scheme_is_short_and_safe_in_a_header(scheme, credentials):
    assert re.fullmatch(r"[ !#-\[\]-~]{1,100}", why_not_bearer(scheme, credentials))


@given(st.text(max_size=300))
def test_whatever_is_sent_is_refused_with_a_code(text):
    assert error_of(VERIFIER, text) == "token_malformed"


@given(st.lists(st.binary(max_size=40), min_size=3, max_size=3), st.randoms())
def test_no_three_segments_crash_the_verifier(segments, random):
    good = sign(claims()).split(".")
    parts = [random.choice([good[i], segments[i].hex()]) for i in range(3)]
    if parts == good:
        assert verified(VERIFIER, ".".join(parts))["sub"] == "alice"
    else:
        assert error_of(VERIFIER, ".".join(parts)) in (
            "token_malformed",
            "signature_invalid",
            "alg_not_allowed",
        )


def test_a_token_is_verified_once_and_then_cached(caching, counting):
    token = sign(claims(exp=int(START) + 60))

    assert [verified(caching, token)["sub"] for _ in range(5)] == ["alice"] * 5
    assert counting.asked == 1


def test_an_invalid_token_is_never_cached(caching, counting):
    token = sign(claims(), secret="x" * 40)

    assert [error_of(caching, token) for _ in range(3)] == ["signature_invalid"] * 3
    assert counting.asked == 3


def test_another_token_of_the_same_user_is_verified_itself(caching, counting):
    verified(caching, sign(claims(exp=int(START) + 60)))
    verified(caching, sign(claims(exp=int(START) + 61)))

    assert counting.asked == 2


@pytest.mark.parametrize(("seconds", "asked"), [(69.9, 1), (70, 2), (1000, 2)])
def test_a_cached_token_expires_with_its_leeway(caching, counting, clock, seconds, asked):
    token = sign(claims(exp=int(START) + 60))
    verified(caching, token)
    clock.now = START + seconds
    verified(caching, token)  # the real clock has not got there: it is asked, and says yes

    assert counting.asked == asked


def test_a_cached_token_is_not_valid_before_its_time(caching, counting, clock):
    token = sign(claims(nbf=int(START) - 1_000_000_000, exp=int(START) + 60))
    verified(caching, token)
    clock.now = START - 1_000_000_011
    verified(caching, token)

    assert counting.asked == 2


def test_a_long_token_is_verified_each_time(caching, counting):
    token = sign(claims(name="x" * 3000, exp=int(START) + 60))
    verified(caching, token)
    verified(caching, token)

    assert counting.asked == 2


def test_the_cache_is_bounded_and_the_oldest_goes_first(caching, counting):
    tokens = [sign(claims(sub=str(number), exp=int(START) + 60)) for number in range(CAPACITY + 1)]
    for token in tokens:
        verified(caching, token)
    verified(caching, tokens[-1])
    assert counting.asked == CAPACITY + 1

    verified(caching, tokens[0])
    assert counting.asked == CAPACITY + 2
