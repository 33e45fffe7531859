"""Python's packages: `uv audit`, which asks OSV about each version."""

import json
import re
import sys
import tempfile
from pathlib import Path

from tests.audit.weaknesses import Unanswered, run

UV = Path(sys.executable).parent / "uv"
MOST_TEXT = 200
PIN = re.compile(r"^([\w.-]+)(?:\[[\w,]*\])?==([\w.]+)", re.MULTILINE)
PROJECT = '[project]\nname = "audited"\nversion = "0"\nrequires-python = ">=3.11"\n'
PYPI = '{ registry = "https://pypi.org/simple" }'


def uv_audit(lock: Path, service: str) -> list[str]:
    """The weaknesses of what a file of pip's pins, as the OSV service at a URL knows them.

    No index of packages is needed: the pins are given to uv in the form of its own lock. Raises
    `Unanswered` when the service does not answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pyproject.toml").write_text(PROJECT)
        (Path(folder) / "uv.lock").write_text(uv_lock(PIN.findall(lock.read_text())))
        command = [str(UV), "audit", "--frozen", "--output-format", "json"]
        command += ["--preview-features", "audit-command,json-output", "--service-url", service]
        done = run(Path(folder), *command)
    if done.returncode not in (0, 1):  # 1 with weaknesses, 2 where nobody answers
        raise Unanswered(" ".join(done.stderr.rpartition("error: ")[2].split())[:MOST_TEXT])
    return [line_of(weakness) for weakness in json.loads(done.stdout)["vulnerabilities"]]


def line_of(weakness: dict) -> str:
    """One weakness: package, version, id, what it is, and what mends it."""
    package, mended = weakness["dependency"], ", ".join(weakness["fix_versions"]) or "nothing yet"
    named = f"{package['name']} {package['version']}: {weakness['id']}"
    return f"{named} {weakness['summary']} (mended by {mended})"


def uv_lock(pins: list[tuple[str, str]]) -> str:
    """uv's lock of a project that needs the pinned versions, and nothing else."""
    needed = ", ".join(f'{{ name = "{n}", version = "{v}", source = {PYPI} }}' for n, v in pins)
    packages = [
        f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {PYPI}\n'
        for name, version in pins
    ]
    audited = '[[package]]\nname = "audited"\nversion = "0"\nsource = { virtual = "." }\n'
    head = f'version = 1\nrequires-python = ">=3.11"\n\n{audited}dependencies = [{needed}]\n'
    return "\n".join([head, *packages])
