"""Versions with known weaknesses are neither asked for nor pinned."""

import configparser
import re

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.audit.uv import PIN
from tests.contract.advisories import ADVISORIES, Advisory
from tests.contract.reading import ROOT

MEASURED = {"gunicorn": "27.0.1", "gunicorn-h1c": "0.6.9", "pyjwt": "2.15.1"}
"""Versions that tokens and requests by the thousand, forged and malformed, were tried on."""
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
    pins = PIN.findall((ROOT / lock).read_text())
    return {canonical(name): Version(version) for name, version in pins}


def lowest(name: str) -> Version:
    """The oldest version that an installation accepts."""
    specifiers = required()[name].specifier
    return max(Version(s.version) for s in specifiers if s.operator in (">=", "==", "~="))


@pytest.mark.parametrize(("name", "floor"), MEASURED.items())
def test_nothing_below_what_was_measured_may_be_installed(name: str, floor: str):
    assert lowest(name) >= Version(floor)


@pytest.mark.parametrize("advisory", ADVISORIES, ids=str)
def test_no_version_with_a_published_weakness_may_be_installed(advisory: Advisory):
    assert lowest(advisory.package) >= Version(advisory.mended), advisory.source


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("advisory", ADVISORIES, ids=str)
def test_no_lock_pins_a_version_with_a_published_weakness(advisory: Advisory, lock: str):
    assert pinned(lock)[advisory.package] >= Version(advisory.mended), advisory.source


def test_every_advisory_is_about_what_the_server_runs_on():
    rows = [(advisory.package, Version(advisory.mended)) for advisory in ADVISORIES]

    assert rows == sorted(rows)
    assert {name for name, _ in rows} <= pinned("requirements.lock").keys()
    assert all(re.fullmatch(r"CVE-\d{4}-\d{4,}", advisory.cve) for advisory in ADVISORIES)


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
