"""What a change of tasks needs of its request, beside what it says of each task."""

from typing import NamedTuple
from zoneinfo import ZoneInfo


class Terms(NamedTuple):
    """The bounds of a change, and where its caller is."""

    quota: int
    """How many tasks a user may have, the trash included; a series may pass it by a tenth."""
    where: ZoneInfo
    """The zone whose day it is for tasks without a ``time_zone``."""
