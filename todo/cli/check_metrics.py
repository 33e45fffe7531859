"""The check of ``todo doctor`` of what the server tells of itself."""

import ipaddress
from typing import Final

import httpx

from todo.cli.check import CheckFailedError
from todo.settings.settings import Settings
from todo.values.addresses import authority

ANSWER_SECONDS: Final = 5.0
"""How long a running server may take to tell its metrics."""


def check_metrics(settings: Settings) -> str:
    """Return what the log and the metrics tell, and whether a server serves the metrics now.

    Raises :class:`CheckFailedError` when something else answers on the port of the metrics.
    """
    log = "a line for each request" if settings.logs_requests else "no line for each request"
    if (port := settings.metrics_port) is None:
        return f"{log}; no metrics (set METRICS_PORT)"
    return f"{log}; metrics on port {port}, {_state(settings.metrics_host, port)}"


def _state(host: str, port: int) -> str:
    url = f"http://{authority(_reachable(host), port)}/metrics"
    try:
        response = httpx.get(url, timeout=ANSWER_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return "which no server serves now"
    if "todo_build_info" not in response.text:
        raise CheckFailedError(
            f"something else answers at {url}; choose another METRICS_PORT, or stop it"
        )
    return "served now"


def _reachable(host: str) -> str:
    """Return the address that leads to a server which listens on ``host``: maybe on all of them."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "::1" if address.version == 6 else "127.0.0.1"  # noqa: PLR2004 - IPv6
