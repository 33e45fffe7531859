"""The example client, generated from a live contract and compiled strictly."""

import shutil
from pathlib import Path

from tests.integration.server import REPOSITORY, Server
from tests.servers.node import run

EXAMPLE = REPOSITORY / "examples" / "typescript"


def compiled(server: Server, home: Path, *more: Path) -> Path:
    """A copy of the example in ``home``, with ``more`` source files, ready to run."""
    copy = home / "typescript"
    ignored = shutil.ignore_patterns("node_modules", "dist", "api.d.ts")
    shutil.copytree(EXAMPLE, copy, ignore=ignored)
    for source in more:
        shutil.copy(source, copy / "src")
    (copy / "node_modules").symlink_to(EXAMPLE / "node_modules")
    contract = f"{server.client.base_url}/openapi.json"
    run(copy, "npm", "run", "generate", "--silent", "--", contract, home=home)
    run(copy, "npm", "run", "build", "--silent", home=home)
    return copy
