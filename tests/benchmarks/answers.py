"""Answers as bytes: where one ends, and what its head says. No more of it is looked at."""

import re

END_OF_HEAD = b"\r\n\r\n"
STATUS = slice(9, 12)  # in "HTTP/1.1 200 OK"
END_OF_CHUNKS = b"0\r\n\r\n"
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
CLOSING = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
WITHOUT_BODY = (b"204", b"304")


class LoadError(RuntimeError):
    """The server does not answer, or not in HTTP: there is nothing to measure."""


def is_complete(answer: bytes | bytearray) -> bool:
    """Whether the answer has arrived whole (RFC 9112 section 6, as far as an API needs it).

    Raises LoadError for an answer whose end only the end of the connection would tell.
    """
    head = answer.find(END_OF_HEAD)
    if head < 0:
        return False
    if answer[STATUS] in WITHOUT_BODY:
        return True
    if length := CONTENT_LENGTH.search(answer, 0, head):
        return len(answer) >= head + len(END_OF_HEAD) + int(length[1])
    if CHUNKED.search(answer, 0, head):
        return answer.endswith(END_OF_CHUNKS)
    raise LoadError(f"an answer without a length: {bytes(answer[:head])!r}")


def is_last(answer: bytes | bytearray) -> bool:
    """Whether the server closes the connection after this answer."""
    return CLOSING.search(answer, 0, answer.find(END_OF_HEAD)) is not None


def status_of(answer: bytes | bytearray) -> int:
    """The status of a complete answer."""
    return int(answer[STATUS])
