"""Settings of the server: where it listens, who may call it, how it works, what it logs."""

import os
from dataclasses import dataclass

from todo.settings.configuration_error import ConfigurationError
from todo.settings.readers import Choice, Integer, Items, Text
from todo.settings.variable import setting
from todo.values.addresses import networks
from todo.values.origins import MAX_PORT, is_origin, is_prefix, is_web_url, path_of


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """What the server may know of the machine and of the front ends."""

    host: str = setting(
        "127.0.0.1", "The address that the server listens on.", Text("a name or an IP address")
    )
    port: int = setting(8000, "The port that the server listens on.", Integer(1, MAX_PORT))
    public_url: str | None = setting(
        None,
        "The address that clients call, prefix included. The contract names it in `servers`.",
        Text("`https://host[:port][/prefix]`"),
        unset="`ROOT_PATH` at the address that the contract is read from",
        example="https://example.com/todo-api",
    )
    root_path: str | None = setting(
        None,
        "The prefix that a proxy takes off the path of each request. Links begin with it.",
        Text("`/prefix`"),
        unset="the path of `PUBLIC_URL`",
        example="/todo-api",
    )
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

    @property
    def prefix(self) -> str:
        """What stands before every path for clients: empty, or like ``/todo-api``."""
        return self.root_path or path_of(self.public_url or "")

    @property
    def server_url(self) -> str:
        """Where the contract says that the API is: a URL, or a path of wherever it is read from."""
        return self.public_url or self.prefix or "/"

    def check_server(self) -> None:
        """Raise :class:`ConfigurationError` for what no server or browser could work with."""
        self._check_prefix()
        if self.metrics_port == self.port:
            raise ConfigurationError("METRICS_PORT: is the same as PORT; choose another one")
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

    def _check_prefix(self) -> None:
        if self.root_path is not None and not is_prefix(self.root_path):
            raise ConfigurationError(
                f"ROOT_PATH: {self.root_path[:100]!r} is not a prefix; "
                "write /prefix, without a / at the end, or unset ROOT_PATH"
            )
        if self.public_url is None:
            return
        path = path_of(self.public_url) if is_web_url(self.public_url) else None
        if path is None or (path and not is_prefix(path)):
            told = "the value" if "@" in self.public_url else repr(self.public_url[:100])
            raise ConfigurationError(
                f"PUBLIC_URL: {told} is not an address to link to; "
                "write https://host[:port][/prefix], without a / at the end"
            )
        if self.root_path not in (None, path):
            raise ConfigurationError(
                f"ROOT_PATH: {self.root_path!r} is not the path of PUBLIC_URL, {path!r}; "
                "PUBLIC_URL has the prefix at its end, or unset ROOT_PATH"
            )
