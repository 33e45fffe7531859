"""Tokens that are in use for long: which of them are not valid any more."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select

from todo.auth import local_tokens
from todo.auth.invalid_token import InvalidTokenError
from todo.auth.token_cache import CachingVerifier
from todo.auth.tokens import Claims, KeysUnavailableError
from todo.database.functions import is_any_of
from todo.database.transactions import read
from todo.models import accounts
from todo.problems import Problem

_GENERATIONS: Final = select(accounts.c.user_id, accounts.c.generation).where(
    is_any_of(accounts.c.user_id, "ids")
)


class TokensInUse:
    """Looks at many tokens at once: at most one statement, whatever their number."""

    def __init__(self, verifier: CachingVerifier, ask: Callable[..., Awaitable[Any]]) -> None:
        """``ask`` runs a function on a thread."""
        self._verifier = verifier
        self._ask = ask

    async def refused(self, tokens: Sequence[str]) -> frozenset[str]:
        """Return those of the ``tokens`` that have run out or were revoked."""
        valid: dict[str, Claims] = {}
        unknown: set[str] = set()
        for token in tokens:
            try:
                valid[token] = await self._verifier.verify(token)
            except KeysUnavailableError:  # the issuer is away, and says nothing against the token
                unknown.add(token)
            except InvalidTokenError:
                continue
        revoked = await self._revoked(valid)
        return frozenset(tokens) - unknown - (valid.keys() - revoked)

    async def _revoked(self, valid: Mapping[str, Claims]) -> set[str]:
        """Those of the local tokens whose account has had another password since."""
        local = {
            token: claims
            for token, claims in valid.items()
            if claims.get("iss") == local_tokens.ISSUER
        }
        if not local:
            return set()
        ids = {claims["sub"] for claims in local.values()}
        try:
            generations = await self._ask(None, _generations, sorted(ids))
        except Problem:  # the database is away, and says nothing against them
            return set()
        return {
            token
            for token, claims in local.items()
            if generations.get(claims["sub"]) != claims.get(local_tokens.GENERATION)
        }


def _generations(ids: Sequence[str]) -> Mapping[str, int]:
    return {row.user_id: row.generation for row in read(_GENERATIONS, {"ids": ids})}
