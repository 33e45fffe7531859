"""What is installed is what is in the repository: packages, and the pinned Swagger UI."""

import json
import re
from configparser import ConfigParser
from pathlib import Path

import todo

PACKAGE = Path(todo.__file__).parent
CONFIGURATION = ConfigParser()
CONFIGURATION.read(PACKAGE.parent / "setup.cfg")
VENDOR = PACKAGE.parent / "vendor"


def test_every_package_is_listed_in_setup_cfg():
    modules = [path.parent.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("__init__.py")]
    listed = CONFIGURATION["options"]["packages"].split()

    assert {".".join(module.parts) for module in modules} - set(listed) == set()


def test_the_swagger_ui_that_is_shipped_has_the_version_that_is_pinned():
    pinned = json.loads((VENDOR / "package.json").read_text())["dependencies"]["swagger-ui-dist"]
    lock = json.loads((VENDOR / "package-lock.json").read_text())["packages"]
    bundle = (PACKAGE / "handlers" / "swagger_ui" / "swagger-ui-bundle.js").read_text()

    assert lock["node_modules/swagger-ui-dist"]["version"] == pinned
    assert re.findall(r'PACKAGE_VERSION:"([^"]*)"', bundle) == [pinned]
