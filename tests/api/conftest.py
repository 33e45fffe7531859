"""Fixtures of the tests of the API."""

from collections.abc import Iterator

import pytest

from tests.conftest import Caller, Service
from tests.integration.places import assert_places_are_sound


@pytest.fixture
def everything_is_sound(service: Service, alice: Caller) -> Iterator[None]:
    """What must be true of Alice's tasks is true when the test ends."""
    yield
    assert_places_are_sound(service.settings.database_url, alice.id)
