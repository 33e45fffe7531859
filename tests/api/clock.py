"""Requests at a moment of the test's choice."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import time_machine

from tests.conftest import Caller, Service


@contextmanager
def frozen(service: Service, moment: str) -> Iterator[Caller]:
    """Stop the clock at ``moment``; yields a new user, whose token is of that time."""
    with time_machine.travel(datetime.fromisoformat(moment), tick=False):
        yield service.caller()
