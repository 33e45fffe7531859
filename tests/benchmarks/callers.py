"""Who asks: users of the dataset with their tokens, true and forged."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from tests.benchmarks.dataset import user_name

TOKEN_LIFE = timedelta(hours=6)


@dataclass(frozen=True)
class Caller:
    """A user who calls, by place in the dataset, with the token that says so."""

    user: int
    token: str
    forged: str  # says the same, but is signed with another secret

    @property
    def path(self) -> str:
        """The collection that is this user's."""
        return f"/api/{user_name(self.user)}/tasks"


def callers(users: Sequence[int], secret: str) -> list[Caller]:
    """Sign one HS256 token per user, the way Better Auth's shared secret does."""
    now = datetime.now(UTC)
    wrong = secrets.token_urlsafe(48)
    return [
        Caller(user, sign(user_name(user), now, secret), sign(user_name(user), now, wrong))
        for user in users
    ]


def sign(subject: str, now: datetime, secret: str) -> str:
    """A token that outlives the whole benchmark."""
    return jwt.encode({"sub": subject, "iat": now, "exp": now + TOKEN_LIFE}, secret, "HS256")
