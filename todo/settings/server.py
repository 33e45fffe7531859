"""Settings of the server: where it listens, who may call it, how it works, what it logs."""

import os
from dataclasses import dataclass

from todo.settings.configuration_error import ConfigurationError
from todo.settings.readers import Choice, Integer, Items, Text
from todo.settings.variable import setting
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

    access_log: str = setting(
        "on",
        "`on` logs one line for each request, as an event of level `info`; `off` logs none.",
        Choice(("on", "off")),
    )
    metrics_port: int | None = setting(
        None,
        "The port that the metrics for Prometheus are served on, at `/metrics`, by gunicorn's "
        "master. It takes no token, so let Prometheus alone reach it.",
        Integer(1, MAX_PORT),
        unset="no metrics",
        example="9090",
    )
    metrics_host: str = setting(
        "127.0.0.1",
        "The address that the metrics are served on.",
        Text("a name or an IP address"),
    )

    @property
    def logs_requests(self) -> bool:
        """Whether each request gets its line in the log."""
        return self.access_log == "on" and self.log_level in ("debug", "info")

    def check_server(self) -> None:
        """Raise :class:`ConfigurationError` for what no server or browser could work with."""
        if self.metrics_port == self.port:
            raise ConfigurationError("METRICS_PORT: is the same as PORT; choose another one")
        for origin in self.cors_origins:
            if not is_origin(origin):
                raise ConfigurationError(
                    f"CORS_ORIGINS: {origin!r} is not an origin; "
                    "write scheme://host[:port] as browsers send it: lower case, no path, no "
                    "default port; several separated by commas"
                )
