"""An issuer of tokens whose key set behaves as a test wants: real HTTP, real keys."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

MAKERS = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
}


class Issuer:
    """A key set at :attr:`url`. Change :attr:`keys`, :attr:`answer` or :attr:`mood` at any time."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.url = f"{self.origin}/api/auth/jwks"
        self.keys: dict[str, tuple[str, Any]] = {}
        self.documents: list[dict[str, Any]] = []
        """Served beside the public halves of :attr:`keys`, as they are."""
        self.mood = "well"
        """``well``, ``hanging``, ``dripping``, ``html``, ``redirecting``, ``failing``, ``huge``."""
        self.ahead = 0
        """Seconds that its clock is ahead."""
        self.fetches: list[float] = []
        self.paths: set[str] = set()
        self.over = Event()

    def add(self, kid: str, algorithm: str = "EdDSA") -> None:
        """Make a key that signs and is served."""
        self.keys[kid] = (algorithm, MAKERS[algorithm]())

    def sign(self, kid: str, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token under the key ``kid``; a change of ``...`` leaves the claim out."""
        algorithm, key = self.keys[kid]
        good = {"sub": "alice", "exp": int(time.time()) + 900, "iss": self.origin}
        claims = {**good, "aud": self.origin, **changes}
        payload = {name: value for name, value in claims.items() if value is not ...}
        return jwt.encode(payload, key, algorithm, headers={"kid": kid, **(header or {})})

    def document(self) -> bytes:
        """The key set, as Better Auth serves it: no ``use``."""
        public = [public_jwk(kid, *key) for kid, key in self.keys.items()]
        return json.dumps({"keys": [*public, *self.documents]}).encode()


def public_jwk(kid: str, algorithm: str, key: Any) -> dict[str, Any]:
    """The public half of ``key`` as a JWK."""
    jwk = get_default_algorithms()[algorithm].to_jwk(key.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    return {**jwk, "kid": kid, "alg": algorithm}


def octets(secret: bytes) -> str:
    """``secret`` as the ``k`` of a symmetric JWK."""
    return urlsafe_b64encode(secret).rstrip(b"=").decode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        issuer: Issuer = self.server.issuer
        issuer.fetches.append(time.monotonic())
        issuer.paths.add(self.path)
        if issuer.mood == "hanging":
            issuer.over.wait(30)
        elif issuer.mood == "dripping":
            self._head(200, "application/json")
            for byte in issuer.document():
                if issuer.over.wait(0.3):
                    return
                self.wfile.write(bytes([byte]))
        elif issuer.mood == "redirecting":
            self.send_response(302)
            self.send_header("Location", f"{issuer.origin}/elsewhere")
            self.end_headers()
        elif issuer.mood == "failing":
            self._answer(500, "text/plain", b"no")
        elif issuer.mood == "html":
            self._answer(200, "text/html", b"<!doctype html><title>Sign in</title>")
        elif issuer.mood == "huge":
            self._answer(200, "application/json", issuer.document() + b" " * 1_100_000)
        else:
            self._answer(200, "application/json", issuer.document())

    def _head(self, status: int, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.end_headers()

    def _answer(self, status: int, media_type: str, body: bytes) -> None:
        self._head(status, media_type)
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        issuer: Issuer = self.server.issuer
        return super().date_time_string((timestamp or time.time()) + issuer.ahead)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that gave up is what some tests want."""


@contextmanager
def issuing(port: int = 0) -> Iterator[Issuer]:
    """Run an issuer on a port of the loopback."""
    server = _Server(("127.0.0.1", port), _Handler)
    issuer = server.issuer = Issuer(server.server_port)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield issuer
    finally:
        issuer.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
