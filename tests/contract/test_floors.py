"""Versions below which a dependency has known weaknesses: neither asked for nor pinned."""

import configparser
import re

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.contract.reading import ROOT

FLOORS = {
    "flask": "3.1.3",
    "gunicorn": "27.0.1",
    "gunicorn-h1c": "0.6.9",
    "pyjwt": "2.15.1",
    "starlette": "1.3.1",
    "werkzeug": "3.1.5",
}
LOCKS = ("requirements.lock", "requirements-dev.lock")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required() -> dict[str, Requirement]:
    """What an installation asks for, by its name."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"].split("\n")
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonical(requirement.name): requirement for requirement in requirements}


def pinned(lock: str) -> dict[str, Version]:
    """The versions that a lock pins, by their names."""
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,]*\])?==([\w.]+)", (ROOT / lock).read_text(), re.M)
    return {canonical(name): Version(version) for name, version in pins}


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_nothing_below_the_floor_may_be_installed(name: str, floor: str):
    specifiers = required()[name].specifier
    lowest = [Version(s.version) for s in specifiers if s.operator in (">=", "==", "~=")]

    assert max(lowest) >= Version(floor)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_what_the_installation_asks_for(lock: str):
    pins = pinned(lock)

    assert [
        str(requirement)
        for name, requirement in required().items()
        if not requirement.specifier.contains(pins[name])
    ] == []


def test_a_server_that_parses_leniently_comes_only_when_asked_for():
    assert "uvicorn" not in pinned("requirements.lock")
    assert "uvicorn" in pinned("requirements-dev.lock")
