"""The Swagger UI at ``/docs`` is the npm package that ``vendor/`` pins, byte for byte."""

import json
from pathlib import Path

import pytest

from tests.integration.server import REPOSITORY
from tests.servers.programs import require

VENDOR = REPOSITORY / "vendor"
SHIPPED = REPOSITORY / "todo" / "handlers" / "swagger_ui"


@pytest.fixture
def package() -> Path:
    """The npm package, as ``npm ci`` installs it: npm compares its digest with the lock."""
    require("npm", folder=VENDOR)
    return VENDOR / "node_modules" / "swagger-ui-dist"


def test_the_package_that_is_compared_with_is_the_one_that_the_lock_pins(package: Path):
    lock = json.loads((VENDOR / "package-lock.json").read_text())
    installed = json.loads((package / "package.json").read_text())

    assert installed["version"] == lock["packages"]["node_modules/swagger-ui-dist"]["version"]


def test_every_file_that_is_shipped_is_the_packages_own(package: Path):
    shipped = {path.name: path.read_bytes() for path in SHIPPED.iterdir()}

    assert shipped == {name: (package / name).read_bytes() for name in shipped}
    assert {"LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"} < shipped.keys()
