"""A real Better Auth server (`tests/auth_server`), and its users as a front end would have them."""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.servers.process import ServerProcess, free_port
from tests.servers.programs import require

FOLDER = Path(__file__).parents[1] / "auth_server"
SECRET = "the-secret-of-the-tests-auth-server-4711"
ISSUER = "http://auth.localhost:3000"
"""Who the server says it is, whatever port it got."""
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class SignedIn:
    """A user of Better Auth, just signed up."""

    id: str
    email: str
    session: str
    """The opaque token of the sign-in, which is no JWT."""
    cached: str
    """The session as Better Auth caches it in a cookie: a JWT under the shared secret."""


class BetterAuth:
    """A running server."""

    def __init__(self, process: ServerProcess, port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.jwks_url = f"{self.url}/api/auth/jwks"
        self.client = httpx2.Client(base_url=self.url, timeout=30, trust_env=False)

    def sign_up(self, name: str) -> SignedIn:
        email = f"{name}-{uuid.uuid4().hex}@example.com"
        body = {"email": email, "password": PASSWORD, "name": name}
        headers = {"Origin": "http://localhost:3000"}
        answer = self.client.post("/api/auth/sign-up/email", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        cookies = dict(answer.cookies)
        cached = next(value for key, value in cookies.items() if key.endswith("session_data"))
        self.client.cookies.clear()
        return SignedIn(answer.json()["user"]["id"], email, answer.json()["token"], cached)

    def token(self, user: SignedIn) -> str:
        """What `authClient.token()` gives a front end."""
        return self._ask("/api/auth/token", user)["token"]

    def hand_made_token(self, user: SignedIn) -> str:
        """What a front end signs itself with the shared secret."""
        return self._ask("/hand-made-token", user)["token"]

    def verification_token(self, user: SignedIn) -> str:
        """What is in the link of the e-mail that verifies the address."""
        return self._ask(f"/verification-token?email={user.email}", user)["token"]

    def stop(self) -> None:
        self.process.stop()

    def _ask(self, path: str, user: SignedIn) -> dict[str, Any]:
        answer = self.client.get(path, headers={"Authorization": f"Bearer {user.session}"})
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def better_auth(*, port: int = 0, issuer: str = ISSUER, **variables: str) -> Iterator[BetterAuth]:
    """Run a server until the block ends."""
    with better_auths(instance(port=port, issuer=issuer, **variables)) as [server]:
        yield server


def instance(*, port: int = 0, issuer: str = ISSUER, **variables: str) -> dict[str, str]:
    """The variables of a server that says it is ``issuer``, on a free port unless one is given."""
    return {"PORT": str(port or free_port()), "ISSUER_URL": issuer, **variables}


@contextmanager
def better_auths(*instances: dict[str, str]) -> Iterator[list[BetterAuth]]:
    """Run several servers in one process of node until the block ends."""
    [node] = require("node", folder=FOLDER)
    environment = {
        "PATH": os.environ["PATH"],
        "BETTER_AUTH_SECRET": SECRET,
        "INSTANCES": json.dumps(instances),
    }
    ports = [int(variables["PORT"]) for variables in instances]
    ready = [f"http://127.0.0.1:{port}/api/auth/ok" for port in ports]
    with ExitStack() as stack:
        process = stack.enter_context(
            ServerProcess.start([node, "server.mjs"], url=ready[0], env=environment, cwd=FOLDER)
        )
        for url in ready[1:]:
            process.wait_until_ready(url)
        servers = [BetterAuth(process, port) for port in ports]
        for server in servers:
            stack.enter_context(server.client)
        yield servers
