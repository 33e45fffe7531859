"""Fixtures of the tests of the API."""

from collections.abc import Iterator

import pytest

from tests.conftest import Caller, Service
from tests.integration.places import assert_places_are_sound
from todo.sync import undo, unit_of_work
from todo.tasks import batch


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes in batches of 2,000 entries, or of 100 series, goes three or two at a time."""
    monkeypatch.setattr(unit_of_work, "BATCH", 3)
    monkeypatch.setattr(undo, "BATCH", 3)
    monkeypatch.setattr(undo, "_ENTRIES", undo._ENTRIES.limit(3))
    monkeypatch.setattr(batch, "_SERIES_AT_ONCE", 2)


@pytest.fixture
def everything_is_sound(service: Service, alice: Caller) -> Iterator[None]:
    """What must be true of Alice's tasks is true when the test ends."""
    yield
    assert_places_are_sound(service.settings.database_url, alice.id)
