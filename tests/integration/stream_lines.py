"""Lines to the server that harm a stream: one cuts it, one falls silent, one holds it back."""

import random
import socket
import threading
from select import select

from tests.integration.relay import CHUNK, Relay

SHORT, LONG = 500, 8_000
"""Bytes: a cut within the headers or the first events, or after a small page of the list."""

STREAM = b"\r\ncontent-type: text/event-stream"


class CutLine(Relay):
    """Cuts each connection at a random byte of what the server sends; ``cuts`` counts them."""

    most: tuple[int, ...] = (SHORT, LONG)

    def __init__(self, server_port: int, seed: int) -> None:
        super().__init__(server_port)
        self.cuts = 0
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def next_cut(self) -> int:
        """How many bytes the next connection passes on."""
        with self._lock:
            return self._random.randint(1, self._random.choice(self.most))

    def ended(self, client: socket.socket) -> None:
        """Count the cut; the socket closes with the connection."""
        with self._lock:
            self.cuts += 1

    def pass_on(self, client: socket.socket, upstream: socket.socket) -> None:
        """Pass bytes on until the cut."""
        left = self.next_cut()
        while True:
            for end in select([client, upstream], [], [])[0]:
                data = end.recv(CHUNK)
                if not data:
                    return
                if end is client:
                    upstream.sendall(data)
                    continue
                client.sendall(data[:left])
                left -= len(data)
                if left <= 0:
                    self.ended(client)
                    return


class SilentLine(CutLine):
    """Closes nothing where it would cut: the client hears no more, and is not told why."""

    most = (LONG // 2,)  # fewer cuts: each costs the client a second

    def ended(self, client: socket.socket) -> None:
        """Wait until the client gives up."""
        super().ended(client)
        while client.recv(CHUNK):
            pass


class HoldingLine(Relay):
    """Waits for the end of every stream, as a proxy with a buffer does; passes all else on."""

    def pass_on(self, client: socket.socket, upstream: socket.socket) -> None:
        """Pass the bytes on until a stream begins; then swallow what the server sends."""
        held = False
        while True:
            for end in select([client, upstream], [], [])[0]:
                data = end.recv(CHUNK)
                if not data:
                    return
                held = held or (end is upstream and STREAM in data.lower())
                if end is client:
                    upstream.sendall(data)
                elif not held:
                    client.sendall(data)
