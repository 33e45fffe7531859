"""What is installed is what is in the repository: the wheel has every package."""

from configparser import ConfigParser
from pathlib import Path

import todo

PACKAGE = Path(todo.__file__).parent
CONFIGURATION = ConfigParser()
CONFIGURATION.read(PACKAGE.parent / "setup.cfg")


def test_every_package_is_listed_in_setup_cfg():
    modules = [path.parent.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("__init__.py")]
    listed = CONFIGURATION["options"]["packages"].split()

    assert {".".join(module.parts) for module in modules} - set(listed) == set()
