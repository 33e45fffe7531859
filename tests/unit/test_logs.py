"""One event is one line, whatever is in it; read from real records of a process of its own."""

import subprocess
import sys

import orjson
import pytest

EVIL = "a\r\nFAKE [info] \x1b[31m\b\0\t\x7f\x85\x9b31m\u2028\u2029\u202e\u2066\ud800b"
ESCAPED = r"a\r\nFAKE [info] \x1b[31m\x08\x00\t\x7f\x85\x9b31m\u2028\u2029\u202e\u2066\ud800b"
LOG = """
import logging, sys
import structlog
from todo.logs import configure

configure("info", sys.argv[1])
evil = sys.argv[2].encode().decode("unicode_escape")
ours, gunicorns = structlog.get_logger("todo"), logging.getLogger("gunicorn.error")
if sys.argv[3] == "values":
    structlog.contextvars.bind_contextvars(request_id=evil)
    ours.info("event", path=evil, listed=[evil], short=evil.replace(" ", ""))
elif sys.argv[3] == "event":
    ours.info("event " + evil)
elif sys.argv[3] == "foreign":
    gunicorns.warning("Invalid request %s", evil)
else:
    try:
        raise ValueError(evil)
    except ValueError as error:
        if sys.argv[3] == "crash":
            ours.error("crashed", exc_info=error)
        else:
            gunicorns.exception("Error handling request")
"""


def logged(form: str, how: str) -> str:
    """What one record leaves on standard error, as its bytes say."""
    escaped = EVIL.encode("unicode_escape").decode()
    run = subprocess.run(
        [sys.executable, "-c", LOG, form, escaped, how], capture_output=True, check=True, timeout=60
    )
    return run.stderr.decode()


@pytest.mark.parametrize("how", ["values", "event", "foreign"])
def test_an_event_for_a_terminal_is_one_line_of_printable_text(how):
    text = logged("console", how)

    assert text.endswith("\n")
    assert text[:-1].isprintable(), ascii(text)
    assert ESCAPED in text


@pytest.mark.parametrize("how", ["crash", "foreign crash"])
def test_a_traceback_for_a_terminal_is_indented_and_printable(how):
    first, *traceback = logged("console", how).removesuffix("\n").split("\n")

    assert first.isprintable()
    assert len(traceback) > 2
    for line in traceback:
        assert line.startswith("    ")
        assert line.isprintable(), ascii(line)
    assert "FAKE" in traceback[-1]


@pytest.mark.parametrize("how", ["values", "event", "foreign", "crash", "foreign crash"])
def test_an_event_as_json_is_one_line_of_printable_ascii(how):
    text = logged("json", how)

    assert text.endswith("\n")
    assert text.isascii()
    assert text[:-1].isprintable(), ascii(text)
    assert text.count("FAKE") >= 1
    assert isinstance(orjson.loads(text.replace(r"\ud800", "")), dict)
