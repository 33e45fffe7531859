"""Which keys of a key set may verify tokens (RFC 7517, RFC 7518, RFC 8725)."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from jwt.algorithms import get_default_algorithms

from tests.servers.issuer import MAKERS, octets, public_jwk
from todo.auth.key_sets import MAX_KEYS, UnusableKeySetError, documents_in, usable_keys

ALL = frozenset({"EdDSA", "ES256", "ES512", "RS256", "PS256"})
KEY = ed25519.Ed25519PrivateKey.generate()
GOOD = public_jwk("a", "EdDSA", KEY)


def kids(*documents, algorithms=ALL):
    """The ids of the keys that are left."""
    try:
        return set(usable_keys({d.get("kid", "a"): d for d in documents}, algorithms))
    except UnusableKeySetError:
        return set()


@pytest.mark.parametrize("algorithm", MAKERS)
def test_a_key_of_an_accepted_algorithm_is_usable(algorithm):
    key = public_jwk("a", algorithm, MAKERS[algorithm]())

    assert kids(key) == {"a"}
    assert kids(key, algorithms=ALL - {algorithm}) == set()


@pytest.mark.parametrize(
    "changes",
    [{}, {"use": "sig"}, {"key_ops": ["verify"]}, {"key_ops": ["sign", "verify"]}, {"x-own": 1}],
    ids=str,
)
def test_a_key_for_verifying_is_usable(changes):
    assert kids({**GOOD, **changes}) == {"a"}


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"use": None},
        {"key_ops": ["sign"]},
        {"key_ops": []},
        {"key_ops": "verify"},
        {"key_ops": None},
        {"alg": "HS256"},
        {"alg": "none"},
        {"alg": "RS256"},
        {"kty": "oct", "k": octets(b"x" * 32)},
        {"kty": "oct", "k": octets(b"x" * 32), "alg": "HS256"},
        {"kty": "XYZ"},
        {"kty": 5},
        {"crv": "P-256"},
        {"crv": "X25519"},
        {"x": ""},
        {"x": "AAAA"},
        {"x": 5},
        {"d": "AAAA"},
    ],
    ids=str,
)
def test_any_other_key_is_left_out_and_does_not_hurt_its_neighbours(changes):
    assert kids({**GOOD, **changes}) == set()
    assert kids({**GOOD, **changes}, {**GOOD, "kid": "b"}) == {"b"}


def test_a_private_key_is_left_out():
    private = get_default_algorithms()["EdDSA"].to_jwk(KEY, as_dict=True)

    assert kids({**private, "kid": "a", "alg": "EdDSA"}) == set()


@pytest.mark.parametrize(("bits", "expected"), [(1024, set()), (2047, set()), (2048, {"a"})])
def test_an_rsa_key_has_2048_bits_or_more(bits, expected):
    assert kids(public_jwk("a", "RS256", rsa.generate_private_key(65537, bits))) == expected


def body_of(*documents):
    return json.dumps({"keys": documents}).encode()


def test_only_public_members_are_read_of_a_document_and_nothing_of_a_secret_one():
    private = get_default_algorithms()["EdDSA"].to_jwk(KEY, as_dict=True)
    secret = {"kty": "oct", "kid": "s", "k": octets(b"x" * 32)}
    body = body_of({**GOOD, "x5c": ["MIIB"], "x-own": 1}, {**private, "kid": "p"}, secret)

    assert documents_in(body) == {"a": GOOD}


def test_the_newest_thousand_keys_are_read():
    body = body_of(*({**GOOD, "kid": f"{n}"} for n in range(MAX_KEYS + 500)))

    assert list(documents_in(body)) == [f"{n}" for n in range(500, MAX_KEYS + 500)]


def test_a_set_may_have_one_mebibyte():
    body = body_of(GOOD)

    assert documents_in(body.ljust(1_048_576)) == {"a": GOOD}
    with pytest.raises(UnusableKeySetError, match="the response exceeds 1048576 bytes"):
        documents_in(body.ljust(1_048_577))


@pytest.mark.parametrize(
    "body", [b"", b"<!doctype html>", b"[]", b'{"keys": 1}', b'{"keys": ["a"]}', b"[" * 100_000]
)
def test_anything_else_is_no_jwks_document(body):
    with pytest.raises(UnusableKeySetError, match="the response is not a JWKS document"):
        documents_in(body)


def test_a_set_without_a_usable_key_says_what_was_wanted():
    with pytest.raises(
        UnusableKeySetError, match="the response has no usable key for ES256, EdDSA"
    ):
        usable_keys({}, frozenset({"EdDSA", "ES256"}))
