"""Settings of what one user may do and have, and of how long it is kept."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import limits
from limits import RateLimitItem

from todo.settings.configuration_error import ConfigurationError
from todo.settings.readers import Integer, Text
from todo.settings.variable import setting

MEMORY: Final = "memory://"
"""The storage that the processes of one machine share."""
LONGEST_SECONDS: Final = 86_400
"""The longest time that a limit may be for."""
MOST_LIMITS: Final = 4
_REDIS: Final = ("redis", "rediss")


@dataclass(frozen=True, kw_only=True)
class LimitSettings:
    """Bounds of how much is sent, and of what is stored."""

    rate_limit: str = setting(
        "3000/minute",
        "The requests of one user, and of one network address for requests without a valid token. "
        "More are 429 `rate_limited`.",
        Text("`off`, or limits like `100/second; 3000/minute`"),
    )
    rate_limit_storage: str = setting(
        MEMORY,
        "Where requests and wrong passwords are counted: in memory that the processes of one "
        "machine share, or in a Redis that several machines share.",
        Text("`memory://`, `redis://host:port/0`, `rediss://...`"),
        private=True,
    )

    tasks_per_user: int = setting(
        200_000,
        "The number of tasks that one user may have. Deleted tasks count, too.",
        Integer(1, 10_000_000),
    )
    lists_per_user: int = setting(
        500,
        "The number of lists that one user may have. Deleted lists count, too, until they are "
        "purged.",
        Integer(1, 1000),
    )
    trash_days: int = setting(
        30,
        "The days for which a deleted task can be restored. `todo purge` deletes older ones for "
        "good.",
        Integer(1, 3650),
    )
    idempotency_hours: int = setting(
        24,
        "The hours for which a repeated `Idempotency-Key` is answered with the first response.",
        Integer(1, 720),
    )
    changes_days: int = setting(
        90,
        "The days for which the log of changes is kept: for `changes`, `history` and `undo`. "
        "`todo purge` deletes older entries.",
        Integer(1, 3650),
    )
    changes_per_user: int = setting(
        200_000,
        "The entries that the log of changes keeps of one user.",
        Integer(1000, 10_000_000),
    )

    @property
    def rate_limits(self) -> tuple[RateLimitItem, ...]:
        """The limits of ``RATE_LIMIT``, none when it is off; raises ``ValueError``."""
        off = self.rate_limit.strip().lower() == "off"
        return () if off else tuple(limits.parse_many(self.rate_limit))

    def check_limits(self) -> None:
        """Raise :class:`ConfigurationError` for limits and storages that there are not."""
        if not self._has_limits():
            raise ConfigurationError(
                f"RATE_LIMIT: {self.rate_limit[:100]!r} is not 'off' and no limit; write "
                "'3000/minute', or several as in '100/second; 3000/minute', at most "
                f"{MOST_LIMITS}, each of at most a day"
            )
        if self.rate_limit_storage != MEMORY and not _is_redis(self.rate_limit_storage):
            raise ConfigurationError(
                "RATE_LIMIT_STORAGE: the value is not 'memory://' and no URL of Redis; write "
                "redis://host:port/0, or rediss:// for TLS"
            )

    def _has_limits(self) -> bool:
        try:
            items = self.rate_limits
        except ValueError:
            return False
        return len(items) <= MOST_LIMITS and all(
            item.amount >= 1 and 1 <= item.get_expiry() <= LONGEST_SECONDS for item in items
        )


def _is_redis(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in _REDIS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
