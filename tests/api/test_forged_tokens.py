"""Forged tokens, by the classes of RFC 8725, section 2: each is a 401 that tells its code.

The server accepts both families, which is the most that an attacker could hope for.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.testclient import TestClient

from tests.api.expect import problem, refusal
from tests.api.tokens import HS256, base64url, bearer, claims, sign, unsigned
from tests.conftest import DIALECTS, SECRET, settings_for
from tests.integration.application import running
from tests.servers.issuer import Issuer, issuing, octets, public_jwk
from todo.auth import local_tokens

LIST = "/api/alice/tasks"
NOT_A_JWT = "The token is not a JWT; it may be an opaque session token."
OTHER_TYPE = "The token's 'typ' does not name an access token."
SIGNATURE = "The signature does not match the token."
ALGORITHMS = "Only HS256, EdDSA, ES256, RS256 is accepted."
NO_KID = "The token names no key: its header has no 'kid'."
OTHER_KID = "The issuer has no key with the token's 'kid'."
PREVIOUS = "the-secret-before-that-one-0123456789"


@dataclass(frozen=True)
class World:
    """A server, its issuer, and somebody else's issuer that nobody should ever ask."""

    client: TestClient
    issuer: Issuer
    evil: Issuer

    def ask(self, token: str) -> Any:
        return self.client.get(LIST, headers=bearer(token))

    def pem(self, kid: str = "rsa") -> bytes:
        """The public key as an attacker would feed it to HMAC."""
        public = self.issuer.keys[kid][1].public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return public.public_bytes(serialization.Encoding.PEM, form)

    def jwk(self, kid: str) -> dict[str, Any]:
        return public_jwk(kid, *self.evil.keys[kid])


@pytest.fixture(scope="module", params=DIALECTS)
def world(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> Iterator[World]:
    with issuing() as issuer, issuing() as evil:
        issuer.add("ed")
        issuer.add("rsa", "RS256")
        issuer.add("ec", "ES256")
        issuer.documents.append(
            {"kty": "oct", "kid": "oct", "alg": "HS256", "k": octets(b"k" * 40)}
        )
        for kid, (algorithm, _) in issuer.keys.items():
            evil.add(kid, algorithm)
        settings = settings_for(
            new_database(request.param),
            better_auth_url=issuer.origin,
            better_auth_secret_previous=PREVIOUS,
            local_accounts=True,
        )
        with running(settings) as service:
            yield World(service.client, issuer, evil)


def hmac_over(token: str, key: bytes, header: dict[str, Any]) -> str:
    """The payload of ``token`` under another header, signed with HMAC-SHA-256."""
    signed = f"{base64url(json.dumps(header).encode())}.{token.split('.')[1]}"
    return f"{signed}.{base64url(hmac.digest(key, signed.encode(), hashlib.sha256))}"


def with_signature(token: str, change: Callable[[bytes], bytes]) -> str:
    """``token`` with another signature."""
    signed, _, signature = token.rpartition(".")
    raw = jwt.utils.base64url_decode(signature)
    return f"{signed}.{base64url(change(raw))}"


def local_token(**changes: Any) -> str:
    now = int(time.time())
    good = {
        "iss": local_tokens.ISSUER,
        "aud": local_tokens.AUDIENCE,
        "sub": f"local_{'0' * 32}",
        "exp": now + 60,
        local_tokens.GENERATION: 1,
    }
    return jwt.encode({**good, **changes}, local_tokens.derived_key(SECRET), "HS256")


@pytest.mark.parametrize("kid", ["ed", "rsa", "ec"])
def test_an_honest_token_of_each_key_is_accepted(world: World, kid: str):
    assert world.ask(world.issuer.sign(kid)).status_code == 200
    assert world.ask(world.issuer.sign(kid, aud=["other", world.issuer.origin])).status_code == 200


@pytest.mark.parametrize("secret", [SECRET, PREVIOUS])
@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT", ...])
def test_an_honest_token_of_either_secret_and_any_access_type_is_accepted(
    world: World, secret: str, typ: Any
):
    header = {"alg": "HS256"} if typ is ... else {"alg": "HS256", "typ": typ}

    assert world.ask(sign(claims(), header=header, secret=secret)).status_code == 200


def _es256_with_another_curve(world: World) -> str:
    signed = world.issuer.sign("ec").rpartition(".")[0]
    key = ec.generate_private_key(ec.SECP521R1())
    signature = jwt.algorithms.get_default_algorithms()["ES512"].sign(signed.encode(), key)
    return f"{signed}.{base64url(signature)}"


def _reencoded(token: str, encoding: str) -> str:
    header, rest = token.split(".", 1)
    text = jwt.utils.base64url_decode(header).decode()
    return f"{base64url(text.encode(encoding))}.{rest}"


def _with_stray_bits(token: str) -> str:
    """The last character of a 32-byte signature carries two bits that say nothing."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


Forgery = Callable[[World], str]
EVIL_HEADERS = ("jku", "x5u", "jwk", "x5c")

FORGERIES: dict[str, tuple[Forgery, str, str]] = {
    # 2.1 Weak signatures and insufficient signature validation
    "alg none": (
        lambda w: unsigned(claims(), header={"alg": "none"}),
        "alg_not_allowed",
        ALGORITHMS,
    ),
    "RSA public key as HMAC key": (
        lambda w: hmac_over(w.issuer.sign("rsa"), w.pem(), {**HS256, "kid": "rsa"}),
        "signature_invalid",
        SIGNATURE,
    ),
    "JWKS document's x as HMAC key": (
        lambda w: hmac_over(
            w.issuer.sign("ed"), public_jwk("ed", *w.issuer.keys["ed"])["x"].encode(), HS256
        ),
        "signature_invalid",
        SIGNATURE,
    ),
    "HMAC under a symmetric key of the JWKS": (
        lambda w: sign(claims(), header={**HS256, "kid": "oct"}, secret="k" * 40),
        "signature_invalid",
        SIGNATURE,
    ),
    "symmetric kid under an asymmetric alg": (
        lambda w: w.issuer.sign("ed", header={"kid": "oct"}),
        "kid_unknown",
        OTHER_KID,
    ),
    "another key of the right kid": (
        lambda w: w.evil.sign("ed", iss=w.issuer.origin, aud=w.issuer.origin),
        "signature_invalid",
        SIGNATURE,
    ),
    "algorithm of another key": (
        lambda w: jwt.encode(
            claims(iss=w.issuer.origin, aud=w.issuer.origin),
            w.issuer.keys["rsa"][1],
            "RS256",
            headers={"kid": "ec"},
        ),
        "alg_not_allowed",
        "The token's algorithm is not the algorithm of its key.",
    ),
    "algorithm not asked for": (
        lambda w: jwt.encode(claims(), w.issuer.keys["rsa"][1], "PS256", headers={"kid": "rsa"}),
        "alg_not_allowed",
        ALGORITHMS,
    ),
    "zero ECDSA signature (psychic)": (
        lambda w: with_signature(w.issuer.sign("ec"), lambda s: bytes(len(s))),
        "signature_invalid",
        SIGNATURE,
    ),
    "ECDSA signature in DER": (
        lambda w: with_signature(
            w.issuer.sign("ec"), lambda s: b"\x30\x44\x02\x20" + s[:32] + b"\x02\x20" + s[32:]
        ),
        "signature_invalid",
        SIGNATURE,
    ),
    "signature cut short": (
        lambda w: with_signature(w.issuer.sign("ed"), lambda s: s[:-1]),
        "signature_invalid",
        SIGNATURE,
    ),
    "no signature": (
        lambda w: with_signature(w.issuer.sign("ed"), lambda s: b""),
        "signature_invalid",
        SIGNATURE,
    ),
    "payload of another token": (
        lambda w: ".".join(
            part.split(".")[n]
            for n, part in enumerate(
                [w.issuer.sign("ed"), w.issuer.sign("ed", sub="bob"), w.issuer.sign("ed")]
            )
        ),
        "signature_invalid",
        SIGNATURE,
    ),
    # 2.2 Weak symmetric keys
    "empty secret": (lambda w: sign(claims(), secret=""), "signature_invalid", SIGNATURE),
    # 2.3 Encryption that stands in for a signature; 2.4 compression before it
    "encrypted, compressed, unsigned": (
        lambda w: ".".join(
            base64url(part)
            for part in (b'{"alg":"dir","enc":"A256GCM","zip":"DEF"}', b"", b"iv", b"text", b"tag")
        ),
        "token_malformed",
        NOT_A_JWT,
    ),
    # 2.5 Insecure use of elliptic curves
    "P-521 key under ES256": (
        _es256_with_another_curve,
        "signature_invalid",
        SIGNATURE,
    ),
    # 2.6 Multiplicity of JSON encodings
    "UTF-16 header": (
        lambda w: _reencoded(sign(claims()), "utf-16"),
        "signature_invalid",
        SIGNATURE,
    ),
    "padded base64": (lambda w: sign(claims()) + "==", "token_malformed", NOT_A_JWT),
    "stray bits in base64": (
        lambda w: _with_stray_bits(sign(claims())),
        "token_malformed",
        NOT_A_JWT,
    ),
    "base64 of the other alphabet": (
        lambda w: sign(claims()).replace(".", ".+/", 1),
        "token_malformed",
        NOT_A_JWT,
    ),
    # 2.7 Substitution attacks; 2.8 cross-JWT confusion
    "another issuer": (
        lambda w: w.issuer.sign("ed", iss="https://elsewhere.example"),
        "issuer_mismatch",
        "The token's 'iss' is 'https://elsewhere.example', not '{origin}'.",
    ),
    "no issuer": (
        lambda w: w.issuer.sign("ed", iss=...),
        "issuer_mismatch",
        "The token has no 'iss'.",
    ),
    "another audience": (
        lambda w: w.issuer.sign("ed", aud="https://elsewhere.example"),
        "audience_mismatch",
        "The token's 'aud' is 'https://elsewhere.example', not '{origin}'.",
    ),
    "no audience": (
        lambda w: w.issuer.sign("ed", aud=...),
        "audience_mismatch",
        "The token has no 'aud'.",
    ),
    "e-mail verification token": (
        lambda w: sign(claims(sub=..., email="alice@example.com")),
        "claim_missing",
        "The token has no 'sub'.",
    ),
    "session cookie cache": (
        lambda w: sign(claims(sub=..., session={"userId": "alice"}, user={"id": "alice"})),
        "claim_missing",
        "The token has no 'sub'.",
    ),
    "id token type": (
        lambda w: sign(claims(), header={"alg": "HS256", "typ": "logout+jwt"}),
        "token_malformed",
        OTHER_TYPE,
    ),
    "type that is no string": (
        lambda w: sign(claims(), header={"alg": "HS256", "typ": 5}),
        "token_malformed",
        OTHER_TYPE,
    ),
    "critical extension": (
        lambda w: w.issuer.sign("ed", header={"crit": ["exp"]}),
        "token_malformed",
        NOT_A_JWT,
    ),
    "unencoded payload": (
        lambda w: sign(claims(), header={"alg": "HS256", "b64": True}),
        "token_malformed",
        NOT_A_JWT,
    ),
    "a local account's name under the shared secret": (
        lambda w: sign(claims(sub=f"local_{'0' * 32}")),
        "claim_missing",
        "Only ids of this server's accounts begin with 'local_'.",
    ),
    "a local account's name under a public key": (
        lambda w: w.issuer.sign("ed", sub=f"local_{'0' * 32}"),
        "claim_missing",
        "Only ids of this server's accounts begin with 'local_'.",
    ),
    "the local issuer under the shared secret": (
        lambda w: sign(claims(iss=local_tokens.ISSUER, aud=local_tokens.AUDIENCE)),
        "signature_invalid",
        SIGNATURE,
    ),
    "the local issuer under a public key": (
        lambda w: w.issuer.sign("ed", iss=local_tokens.ISSUER, aud=local_tokens.AUDIENCE),
        "alg_not_allowed",
        "Only HS256 is accepted.",
    ),
    "somebody else's name in a local token": (
        lambda w: local_token(sub="alice"),
        "claim_missing",
        "Only ids of this server's accounts begin with 'local_'.",
    ),
    "the derived key under another issuer": (
        lambda w: local_token(iss="https://elsewhere.example"),
        "signature_invalid",
        SIGNATURE,
    ),
    # 2.9 Indirect attacks on the server: kid
    "no kid": (
        lambda w: jwt.encode(claims(), w.issuer.keys["ed"][1], "EdDSA"),
        "kid_unknown",
        NO_KID,
    ),
    "path as kid": (
        lambda w: w.issuer.sign("ed", header={"kid": "../../../../dev/null"}),
        "kid_unknown",
        OTHER_KID,
    ),
    "SQL as kid": (
        lambda w: w.issuer.sign("ed", header={"kid": "' OR 1=1 --"}),
        "kid_unknown",
        OTHER_KID,
    ),
    # time
    "expired": (
        lambda w: w.issuer.sign("ed", exp=int(time.time()) - 60),
        "token_expired",
        "The token's 'exp' has passed.",
    ),
    "no expiry": (
        lambda w: w.issuer.sign("ed", exp=...),
        "claim_missing",
        "The token has no 'exp'.",
    ),
    "not yet": (
        lambda w: w.issuer.sign("ed", nbf=int(time.time()) + 60),
        "token_not_yet_valid",
        "The token's 'nbf' or 'iat' lies in the future.",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_is_a_401_that_tells_its_code(world: World, name: str):
    forge, code, sentence = FORGERIES[name]
    detail = sentence.replace("{origin}", world.issuer.origin)
    answer = world.ask(forge(world))

    assert refusal(answer) == problem(code, detail, LIST)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == (
        f'Bearer realm="todo", error="invalid_token", error_description="{detail}"'
    )


@pytest.mark.parametrize("header", EVIL_HEADERS)
def test_a_key_that_a_token_brings_along_is_never_looked_at(world: World, header: str):
    values = {"jku": world.evil.url, "x5u": world.evil.url, "x5c": ["AAAA"]}
    value = world.jwk("ed") if header == "jwk" else values[header]
    token = world.evil.sign(
        "ed", header={header: value}, iss=world.issuer.origin, aud=world.issuer.origin
    )

    assert world.ask(token).json()["code"] == "signature_invalid"
    assert world.evil.fetches == []
