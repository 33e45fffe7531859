"""Undo, where lists are among what it takes away: their tasks go along, as with any deletion."""

from collections.abc import Mapping, Sequence
from functools import partial

from todo.lists.resource import LISTS
from todo.sync import undo as any_undo
from todo.sync.changes import Resources
from todo.sync.undo import Returning, Rule, TakenBack, Undone
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks import of_list


def undo(
    unit: UnitOfWork, revision: int, resources: Resources, rules: Mapping[str, Rule]
) -> Undone:
    """Take back the unit that ``revision`` belongs to, like :func:`todo.sync.undo.undo`.

    The tasks that are left in a list which goes away go to the trash with it.
    """
    gone: set[int] = set()
    every: dict[str, Rule] = {**rules, LISTS.kind: partial(_take_back, gone=gone)}
    undone = any_undo.undo(unit, revision, resources, every)
    if gone:
        unit.write_batch()  # so that the tasks are read as they are now
    for list_id in sorted(gone):
        of_list.to_trash(unit, list_id)
    last = unit.counters.revision
    return {"unit": undone["unit"], "revision": last, "changed": last - undone["unit"] + 1}


def _take_back(
    unit: UnitOfWork, taken: Sequence[TakenBack], returning: Returning, *, gone: set[int]
) -> None:
    any_undo.put_old(unit, LISTS, taken)
    gone |= {one.entity["id"] for one in taken} & returning.away
