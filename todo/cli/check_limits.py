"""Checks of ``todo doctor`` on what counts requests."""

from todo.cli.check import CheckFailedError
from todo.rate_limits.counters import display, reachable
from todo.settings.settings import Settings


def check_limits(settings: Settings) -> str:
    """Say what ``RATE_LIMIT`` is and where requests are counted.

    Raises :class:`CheckFailedError` when the storage does not answer.
    """
    place = display(settings.rate_limit_storage)
    if not reachable(settings.rate_limit_storage):
        raise CheckFailedError(
            f"{place} does not answer, so nothing is counted and nothing is refused; start Redis, "
            "or mend RATE_LIMIT_STORAGE"
        )
    return f"{settings.rate_limit}, counted in {place}"
