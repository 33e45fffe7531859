"""`make audit`: asks whether what is pinned has published weaknesses, Python's packages and npm's.

    python -m tests.audit

Exits with 1, and names the weakness, when something that is shipped has one. What only tests and
tools run is named, too, and fails nothing: a release does not wait for a mended tool.

Where no service with advisories answers, as on a machine that reaches a mirror of packages only,
the audit says so in a line, and fails nothing. `tests/contract/test_floors.py` compares the pins
with the advisories that are known to the repository, and needs no network.
"""

import sys
from pathlib import Path

from tests.audit.npm import npm_audit
from tests.audit.uv import uv_audit
from tests.audit.weaknesses import Audit, answer_of, verdict

ROOT = Path(__file__).parents[2]
OSV = "https://api.osv.dev/"


def audits(root: Path = ROOT, osv: str = OSV, registry: str | None = None) -> list[Audit]:
    """Ask about every lock of the repository; what is shipped comes first."""
    shipped = [
        Audit("requirements.lock", True, answer_of(uv_audit, root / "requirements.lock", osv)),
        Audit("vendor", True, answer_of(npm_audit, root / "vendor", registry)),
    ]
    folders = sorted(path.parent for path in root.glob("*/*/package-lock.json"))
    return [
        *shipped,
        Audit(
            "requirements-dev.lock", False, answer_of(uv_audit, root / "requirements-dev.lock", osv)
        ),
        *(
            Audit(str(f.relative_to(root)), False, answer_of(npm_audit, f, registry))
            for f in folders
        ),
    ]


def main() -> int:
    """Print a line for each lock, and each weakness below it; return the exit code."""
    lines, failed = verdict(audits())
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
