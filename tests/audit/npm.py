"""npm's packages: `npm audit`, which asks the registry."""

import json
import shutil
from pathlib import Path

from tests.audit.weaknesses import Unanswered, run


def npm_audit(folder: Path, registry: str | None = None) -> list[str]:
    """The weaknesses of what the lock in a folder pins, as a registry knows them (npm's own choice
    where none is named). Raises `Unanswered` when the registry has no advisories to give.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise Unanswered("npm is not on this machine")
    command = [npm, "audit", "--json", "--package-lock-only", "--fetch-retries=0"]
    command += [f"--registry={registry}"] if registry else []
    told = json.loads(run(folder, *command).stdout)
    if "vulnerabilities" not in told:  # npm exits with 1 either way
        raise Unanswered(told.get("message") or told["error"]["summary"])
    return [line_of(weakness) for weakness in told["vulnerabilities"].values()]


def line_of(weakness: dict) -> str:
    """One package with a weakness: its name, the versions, how bad, and what it is."""
    causes = [via["title"] if isinstance(via, dict) else via for via in weakness["via"]]
    return f"{weakness['name']} {weakness['range']}: {weakness['severity']}, {'; '.join(causes)}"
