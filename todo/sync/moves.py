"""What a move of any entity says: ``before`` or ``after`` a neighbour, or ``at`` an end."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from todo.problems import MemberError

Side = Literal["before", "after"]

SIDES: Final[tuple[Side, ...]] = ("before", "after")
ENDS: Final = (*SIDES, "at")
"""The members of a move of which at most one is given."""


def side_of(to: Mapping[str, Any], kind: str, moved: int) -> Side | None:
    """Return on which side of a neighbour the ``kind`` of entity with the id ``moved`` goes.

    ``None`` is an end of the place. Raises :class:`MemberError` ``contradiction`` where ``to`` has
    two of :data:`ENDS`, or names what moves as its own neighbour.
    """
    given = [name for name in ENDS if name in to]
    if len(given) > 1:
        raise MemberError("contradiction", given[1], f"is given beside '{given[0]}'")
    side = next((side for side in SIDES if side in to), None)
    if side is not None and to[side] == moved:
        raise MemberError("contradiction", side, f"is the {kind} itself")
    return side
