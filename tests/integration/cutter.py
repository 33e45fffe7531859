"""A wire to PostgreSQL that breaks at COMMIT: what a crash, or the network, can do to a client."""

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

BEGIN = b"BEGIN;"
COMMIT = b"COMMIT\0"
CHUNK = 65_536


class Cut(Enum):
    """When the connection breaks."""

    NEVER = "never"
    BEFORE_COMMIT_ARRIVES = "before the server has seen COMMIT"
    BEFORE_COMMIT_IS_ANSWERED = "after the server has committed"
    NEVER_AGAIN_A_WORD = "not at all, but COMMIT is lost and nothing is answered"


class Cutter(socketserver.ThreadingTCPServer):
    """Passes bytes to a server and back; ``cut`` says how far a COMMIT gets.

    ``begun`` and ``committed`` count what clients sent.
    """

    daemon_threads = True

    def __init__(self, server_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.server_port = server_port
        self.port: int = self.server_address[1]
        self.cut = Cut.NEVER
        self.begun = 0
        self.committed = 0


class _Connection(socketserver.BaseRequestHandler):
    server: Cutter

    def handle(self) -> None:
        with (
            suppress(ConnectionError),
            socket.create_connection(("127.0.0.1", self.server.server_port)) as upstream,
        ):
            self._pass_on(self.request, upstream)

    def _pass_on(self, client: socket.socket, upstream: socket.socket) -> None:
        """psycopg2 sends a simple query as one message: COMMIT is the end of a chunk."""
        answers_pass = True
        while True:
            for end in select.select([client, upstream], [], [])[0]:
                data = end.recv(CHUNK)
                if not data or (end is upstream and not answers_pass):
                    return
                if end is client:
                    self.server.begun += data.count(BEGIN)
                if end is client and data.endswith(COMMIT):
                    self.server.committed += 1
                    if self.server.cut is Cut.BEFORE_COMMIT_ARRIVES:
                        return
                    if self.server.cut is Cut.NEVER_AGAIN_A_WORD:
                        continue
                    answers_pass = self.server.cut is not Cut.BEFORE_COMMIT_IS_ANSWERED
                (upstream if end is client else client).sendall(data)


@contextmanager
def cutter_before(server_port: int) -> Iterator[Cutter]:
    """Listen in front of the server on ``server_port`` of the loopback until the block ends."""
    with Cutter(server_port) as cutter:
        thread = threading.Thread(target=cutter.serve_forever, args=(0.05,))
        thread.start()
        yield cutter
        cutter.shutdown()
        thread.join()
