"""A relay before a server: it passes bytes on, and a kind of relay says when it breaks."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

CHUNK = 65_536

R = TypeVar("R", bound="Relay")


class Relay(socketserver.ThreadingTCPServer):
    """Listens on ``port`` of the loopback, before the server on ``server_port``."""

    daemon_threads = True

    def __init__(self, server_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.server_port = server_port
        self.port: int = self.server_address[1]

    def pass_on(self, client: socket.socket, upstream: socket.socket) -> None:
        """Pass the bytes of one connection on, both ways, until it ends or breaks."""
        raise NotImplementedError


class _Connection(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        with (
            suppress(ConnectionError),
            socket.create_connection(("127.0.0.1", self.server.server_port)) as upstream,
        ):
            self.server.pass_on(self.request, upstream)


@contextmanager
def listening(relay: R) -> Iterator[R]:
    """Let ``relay`` listen until the block ends."""
    with relay:
        thread = threading.Thread(target=relay.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield relay
        finally:
            relay.shutdown()
            thread.join()
