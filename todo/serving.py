"""How gunicorn serves the application. ``gunicorn.conf.py`` and ``todo serve`` both use this.

The names are gunicorn's settings: https://docs.gunicorn.org/en/stable/settings.html
"""

import errno
import os
import resource
import signal
import socket
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import Any

import structlog
from gunicorn import glogging
from gunicorn.asgi import protocol as asgi_protocol  # `protocol` is a setting of gunicorn
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.util import load_class
from gunicorn.workers.gasgi import ASGIWorker

from todo import __version__, connections
from todo.http.asgi.streaming import SLOW_SECONDS
from todo.logs import configure
from todo.metrics.exporter import Exporter
from todo.settings.configuration_error import ConfigurationError
from todo.settings.settings import Settings
from todo.values.addresses import authority

_H11 = {"http": "h11"}
_OPEN_FILES = 8192
"""Connections of a process, streams among them, with room to spare."""
_PIECE = 32 * 1024
_EARLY_BYTES = 2 * 1024 * 1024
"""The largest request, and as much again."""


class Logger(glogging.Logger):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn's log, through the handlers of :mod:`todo.logs` instead of its own."""

    def setup(self, cfg: Any) -> None:
        """Keep the configuration; leave the handlers alone (gunicorn's own hook)."""
        self.cfg = cfg
        self.error_log.propagate = True


def _worker_class(name: str) -> str | type:
    """Return the worker called ``name`` if it serves ASGI; uvicorn's with h11 as its parser.

    With httptools, which uvicorn takes where it is installed, a request with ``Upgrade: h2c`` loses
    its body (``specs/decisions/0004``). Raises :class:`ConfigurationError` for any other name:
    gunicorn's own response to no worker is a traceback, and to one that serves WSGI a 500 for every
    request.
    """
    try:
        worker = load_class(name)
    except (RuntimeError, AttributeError):
        worker = None
    if worker is None or (worker.__module__.startswith("gunicorn.") and worker is not ASGIWorker):
        raise ConfigurationError(
            f"WORKER_CLASS: {name!r} is not an installed ASGI worker; unset WORKER_CLASS, or "
            "pip install 'todo-api[uvicorn]' and name uvicorn_worker.UvicornWorker"
        )
    if not hasattr(worker, "CONFIG_KWARGS"):  # uvicorn's way to be configured
        return name
    return type(worker.__name__, (worker,), {"CONFIG_KWARGS": worker.CONFIG_KWARGS | _H11})


def _name_every_status() -> None:
    """Give gunicorn the reason phrases that its table lacks: it says ``412 Unknown``.

    There is no setting for it, and ASGI leaves the phrase to the server.
    """
    phrases = getattr(asgi_protocol, "_REASON_PHRASES", {})
    for status in HTTPStatus:
        phrases.setdefault(status.value, status.phrase)


def _let_parsers_go() -> None:
    """Free a closed connection, which gunicorn keeps for ever with the parser that is written in C.

    The connection has the parser, and the parser the connection's methods. Python's garbage
    collector does not look into that parser (``gunicorn_h1c`` 0.6), so it never finds the circle.
    """
    connection_lost = ASGIProtocol.connection_lost

    def lose(self: Any, exc: Exception | None) -> None:
        connection_lost(self, exc)
        task = self._task
        if task is None or task.done():
            self._callback_parser = None
        else:
            task.add_done_callback(lambda _: setattr(self, "_callback_parser", None))

    ASGIProtocol.connection_lost = lose


def _allow_open_files() -> None:
    """Let each process have as many open files as it may: a stream is one, as long as it lasts.

    Many systems start a process with 1,024 and let it have more.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _keep_what_comes_early() -> None:
    """Keep a request that arrives while the one before is still being answered.

    The parser that is written in C keeps 64 KiB of it. Where there is more, gunicorn closes the
    connection: a client that sent a long body right behind a response got no response to that.
    """
    if not ASGIProtocol._check_h1c_protocol_available():
        return
    parser = ASGIProtocol._h1c_protocol_class

    class Parser(parser):  # type: ignore[misc, valid-type]
        early = b""

        def feed(self, data: bytes) -> None:
            # In pieces: what follows a request in its last piece is less than the parser keeps.
            while len(data) > _PIECE and not self.is_complete:
                super().feed(data[:_PIECE])
                data = data[_PIECE:]
            if self.is_complete and len(self.early) < _EARLY_BYTES:
                self.early += data
            else:
                super().feed(data)

        def remaining(self) -> bytes:
            kept: bytes = super().remaining()
            return kept + self.early

        def reset(self) -> None:
            self.early = b""
            super().reset()

    ASGIProtocol._h1c_protocol_class = Parser


_allow_open_files()
_keep_what_comes_early()
_name_every_status()
_let_parsers_go()
_settings = Settings.from_env()
connections.bound(_settings.web_threads)
configure(_settings.log_level, _settings.log_format)

wsgi_app = "todo.app:create_app()"
bind = authority(_settings.host, _settings.port)
workers = _settings.web_concurrency
worker_class = _worker_class(_settings.worker_class)
preload_app = True  # a broken contract ends the master, and workers share memory
timeout = 30
graceful_timeout = 10  # above any honest request; idle connections are waited for, too
keepalive = 75  # longer than the proxies in front keep theirs
# RequestLimits bounds the headers, and answers with a problem document; beyond these gunicorn does.
limit_request_field_size = 40_960
limit_request_fields = 110
limit_request_line = 0  # RequestLimits bounds the target, too
forwarded_allow_ips = ""
control_socket_disable = True  # it would be opened in the home folder
_ramdisk = Path("/dev/shm")  # noqa: S108 - gunicorn makes a private file in it
worker_tmp_dir = str(_ramdisk) if _ramdisk.is_dir() else tempfile.gettempdir()
logger_class = "todo.serving.Logger"
proc_name = "todo"


_exporter: Exporter | None = None


def on_starting(server: Any) -> None:  # noqa: ARG001
    """Turn the metrics on, if there are any; end the start with one line where gunicorn would
    try for five seconds to listen.

    Raises :class:`ConfigurationError`.
    """
    if "GUNICORN_FD" not in os.environ:  # USR2: the listening socket was handed down
        _check_listening("", _settings.host, _settings.port)
        if _settings.metrics_port is not None:
            _check_listening("METRICS_", _settings.metrics_host, _settings.metrics_port)
    _turn_metrics_on()


def _turn_metrics_on() -> None:
    global _exporter  # noqa: PLW0603 - gunicorn's settings are the names of this module
    if _settings.metrics_port is not None:
        host, port = _settings.metrics_host, _settings.metrics_port
        url = f"http://{authority(host, port)}/metrics"
        _exporter = Exporter(host, port, Path(worker_tmp_dir), url=url, version=__version__)


def _check_listening(prefix: str, host: str, port: int) -> None:
    family, kind, address = _address(prefix, host, port)
    with socket.socket(family, kind) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does
        try:
            listener.bind(address)
        except OSError as error:
            name = prefix + ("HOST" if error.errno == errno.EADDRNOTAVAIL else "PORT")
            raise ConfigurationError(
                f"{name}: cannot listen on {host}, port {port}: {error.strerror}; "
                f"stop what listens there, or choose another {prefix}HOST or {prefix}PORT"
            ) from None


def _address(
    prefix: str, host: str, port: int
) -> tuple[socket.AddressFamily, socket.SocketKind, Any]:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ConfigurationError(
            f"{prefix}HOST: {host!r}: {error.strerror}; "
            f"set {prefix}HOST to an address of this machine"
        ) from None
    return family, kind, address


def when_ready(server: Any) -> None:
    """Let go of clients that read nothing, serve the metrics, and log where the pages are."""
    if _exporter is not None:
        _exporter.serve()
    for listener in server.LISTENERS:
        _drop_who_reads_nothing(listener.sock)
    structlog.get_logger("todo").info("ready", docs=f"{_address_to_tell()}/docs")


def _address_to_tell() -> str:
    return _settings.public_url or f"http://{bind}"


def _drop_who_reads_nothing(listener: socket.socket) -> None:
    """Let the system end connections whose client has taken nothing of what it was sent.

    The application only ends the response; what the server still has to send would keep the
    connection. Linux has the option (RFC 5482), and accepted sockets inherit it.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        listener.setsockopt(socket.IPPROTO_TCP, option, int(SLOW_SECONDS * 1000))


def post_fork(server: Any, worker: Any) -> None:
    """Give the worker database connections of its own, and no metrics to serve."""
    if _exporter is not None:
        _exporter.forked()
    server.app.wsgi().after_fork(lambda: not worker.alive or _is_ending())


def _is_ending() -> bool:
    """Whether uvicorn, whose worker does not tell gunicorn, is about to end."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return bool(getattr(server, "should_exit", False))


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Close the connections: every acknowledged change is then in the embedded database's file."""
    server.app.wsgi().close()


def child_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Forget the gauges of a worker that has ended."""
    if _exporter is not None:
        _exporter.died(worker.pid)


def on_exit(server: Any) -> None:  # noqa: ARG001
    """Remove the files of the metrics."""
    if _exporter is not None:
        _exporter.close()
