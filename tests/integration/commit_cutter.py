"""A wire to PostgreSQL that breaks at COMMIT: what a crash, or the network, can do to a client."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from tests.integration.relay import CHUNK, Relay, listening

BEGIN = b"BEGIN;"
COMMIT = b"COMMIT\0"  # alone, or behind the last statement

# A sequence is not rolled back: only the first attempt loses its connection.
DIE_ONCE = """
CREATE SEQUENCE attempts;
CREATE FUNCTION die_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('attempts') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER die_once BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION die_once()
"""


class Cut(Enum):
    """When the connection breaks."""

    NEVER = "never"
    BEFORE_COMMIT_ARRIVES = "before the server has seen COMMIT"
    BEFORE_COMMIT_IS_ANSWERED = "after the server has committed"
    NEVER_AGAIN_A_WORD = "not at all, but COMMIT is lost and nothing is answered"


class Cutter(Relay):
    """Passes bytes to a server and back; ``cut`` says how far a COMMIT gets.

    ``begun`` and ``committed`` count what clients sent.
    """

    def __init__(self, server_port: int) -> None:
        super().__init__(server_port)
        self.cut = Cut.NEVER
        self.begun = 0
        self.committed = 0

    def pass_on(self, client: socket.socket, upstream: socket.socket) -> None:
        """psycopg2 sends a simple query as one message: COMMIT is the end of a chunk."""
        answers_pass = True
        while True:
            for end in select.select([client, upstream], [], [])[0]:
                data = end.recv(CHUNK)
                if not data or (end is upstream and not answers_pass):
                    return
                if end is client:
                    self.begun += data.count(BEGIN)
                if end is client and data.endswith(COMMIT):
                    self.committed += 1
                    if self.cut is Cut.BEFORE_COMMIT_ARRIVES:
                        return
                    if self.cut is Cut.NEVER_AGAIN_A_WORD:
                        continue
                    answers_pass = self.cut is not Cut.BEFORE_COMMIT_IS_ANSWERED
                (upstream if end is client else client).sendall(data)


@contextmanager
def cutter_before(server_port: int) -> Iterator[Cutter]:
    """Listen in front of the server on ``server_port`` of the loopback until the block ends."""
    with listening(Cutter(server_port)) as cutter:
        yield cutter
