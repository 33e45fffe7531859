"""What every check of ``todo doctor`` needs: how it fails, and whether two clocks agree."""

import time

from todo.settings.settings import Settings


class CheckFailedError(Exception):
    """A check that failed: what is wrong, and what to do."""


def check_clock(other: float, whose: str, settings: Settings) -> None:
    """Compare this machine's clock with another one, which says ``other`` (seconds since 1970).

    Raises :class:`CheckFailedError` beyond the leeway and one second, since a ``Date`` is cut to
    seconds.
    """
    seconds = time.time() - other
    if abs(seconds) > settings.auth_jwt_leeway_seconds + 1:
        raise CheckFailedError(
            f"this machine's clock and {whose} differ by {seconds:.0f} s; set both by NTP, "
            "or tokens are refused as expired or not yet valid"
        )
