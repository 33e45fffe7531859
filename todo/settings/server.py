"""Settings of the server: where it listens, who may call it, how it works, what it logs."""

import os
from dataclasses import dataclass

from todo.settings.configuration_error import ConfigurationError
from todo.settings.readers import Choice, Integer, Items, Text
from todo.settings.variable import setting
from todo.values.addresses import networks
from todo.values.origins import MAX_PORT, is_origin


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """What the server may know of the machine and of the front ends."""

    host: str = setting(
        "127.0.0.1", "The address that the server listens on.", Text("a name or an IP address")
    )
    port: int = setting(8000, "The port that the server listens on.", Integer(1, MAX_PORT))
    cors_origins: tuple[str, ...] = setting(
        ("http://localhost:3000",),
        "The front ends that browsers may call from, each as `scheme://host[:port]`.",
        Items("exact origins"),
    )
    trusted_proxies: tuple[str, ...] = setting(
        (),
        "The reverse proxies whose `X-Forwarded-For` is believed. It names the client that limits "
        "count. Without it everybody behind a proxy has the proxy's address.",
        Items("addresses and networks"),
        example="10.0.0.0/8,192.0.2.7",
    )
    web_concurrency: int = setting(
        lambda: min(os.cpu_count() or 1, 4),
        "The number of worker processes.",
        Integer(1, 64),
        unset="the number of cores, at most 4",
    )
    web_threads: int = setting(
        8,
        "The number of threads in each worker process. Each thread has one database connection.",
        Integer(1, 128),
    )
    worker_class: str = setting(
        "asgi",
        "The worker of gunicorn. `uvicorn_worker.UvicornWorker` works too, behind a reverse proxy "
        "(`pip install 'todo-api[uvicorn]'`).",
        Text("an ASGI worker"),
    )
    log_level: str = setting(
        "info",
        "The lowest level of the events that are logged.",
        Choice(("debug", "info", "warning", "error")),
    )
    log_format: str = setting(
        lambda: "console" if os.isatty(2) else "json",
        "The form of the log, which has one event per line, on standard error.",
        Choice(("json", "console")),
        unset="`console` on a terminal, otherwise `json`",
    )

    def check_server(self) -> None:
        """Raise :class:`ConfigurationError` for what is no origin, and for what is no network."""
        self._check_origins()
        for proxy in self.trusted_proxies:
            try:
                networks([proxy])
            except ValueError:
                raise ConfigurationError(
                    f"TRUSTED_PROXIES: {proxy[:100]!r} is not an address or a network; write "
                    "192.0.2.7 or 10.0.0.0/8; several separated by commas"
                ) from None

    def _check_origins(self) -> None:
        for origin in self.cors_origins:
            if not is_origin(origin):
                raise ConfigurationError(
                    f"CORS_ORIGINS: {origin!r} is not an origin; "
                    "write scheme://host[:port] as browsers send it: lower case, no path, no "
                    "default port; several separated by commas"
                )
