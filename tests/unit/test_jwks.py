"""Which keys of a key set may verify tokens (RFC 7517, RFC 7518, RFC 8725)."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from jwt.algorithms import get_default_algorithms

from tests.servers.issuer import MAKERS, octets, public_jwk
from todo.auth.key_sets import UnusableKeySetError, usable_keys

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


def test_a_set_without_a_usable_key_says_what_was_wanted():
    with pytest.raises(
        UnusableKeySetError, match="the response has no usable key for ES256, EdDSA"
    ):
        usable_keys({}, frozenset({"EdDSA", "ES256"}))
