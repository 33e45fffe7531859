"""Lists and subtasks, for tests of what has a place."""

from itertools import count

from tests.conftest import Caller, Service
from tests.integration.tables import rows

_IDS = count(1_000_000)
_ADD_LIST = """
INSERT INTO lists (user_id, id, revision, name, position, created_at, updated_at)
SELECT id, :list_id, :list_id, 'Home', :position, created_at, updated_at
  FROM users WHERE id = :owner
"""


def create_list(service: Service, caller: Caller) -> int:
    """A new list of a user who has written before; its id."""
    list_id = next(_IDS)
    position = f"g{list_id}"
    url = service.settings.database_url
    rows(url, _ADD_LIST, list_id=list_id, position=position, owner=caller.id)
    return list_id


def squeeze(service: Service, caller: Caller, ends: dict[int, int]) -> None:
    """Give tasks positions as long as they may be, which differ in their ``ends``: as many moves
    between the last two leave them.
    """
    move_to = "UPDATE tasks SET position = :position WHERE user_id = :owner AND id = :id"
    for task_id, end in ends.items():
        position = f"a2{'0' * 88}{end:010}"
        rows(service.settings.database_url, move_to, position=position, owner=caller.id, id=task_id)
