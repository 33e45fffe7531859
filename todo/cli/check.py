"""What every check of ``todo doctor`` needs: how it fails, and whether two clocks agree."""

import time

from todo import tracing
from todo.settings.settings import Settings


class CheckFailedError(Exception):
    """A check that failed: what is wrong, and what to do."""


def describe_address(settings: Settings) -> str:
    """Say where clients find the API, and what the proxy in front has to do for it."""
    if not settings.prefix:
        return settings.public_url or "PUBLIC_URL is not set: links have no host and no prefix"
    taken_off = f"the proxy takes {settings.prefix} off each path"
    return f"{settings.public_url or 'PUBLIC_URL is not set'}; {taken_off}"


def describe_proxies(settings: Settings) -> str:
    """Say whose ``X-Forwarded-For`` is believed."""
    if not settings.trusted_proxies:
        return (
            "none is trusted, so all clients behind a proxy have the proxy's address; "
            "TRUSTED_PROXIES names it"
        )
    return f"X-Forwarded-For is believed of {', '.join(settings.trusted_proxies)}"


def describe_origins(settings: Settings) -> str:
    """Say which pages a browser lets call the API."""
    return f"browsers may call from {', '.join(settings.cors_origins)}"


def check_traces() -> str:
    """Say where the spans go; raises :class:`CheckFailedError` where they should and cannot."""
    names = tracing.exporters()
    if not names:
        return "off; OTEL_EXPORTER_OTLP_ENDPOINT turns them on"
    if not tracing.is_installed():
        raise CheckFailedError(f"OTEL_* are set, and {tracing.MISSING}")
    return f"sent by {', '.join(names)}"


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
