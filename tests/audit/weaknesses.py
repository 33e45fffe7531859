"""How a tool is asked about one lock, what it found, and what follows from all of them."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 120


class Unanswered(Exception):
    """No service with advisories answered; the text says how the tool put it."""


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool that asks a service; raises `Unanswered` when no answer comes in time."""
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unanswered(f"no answer in {SECONDS} s") from None


def answer_of(ask: Callable[..., list[str]], *arguments: object) -> list[str] | Unanswered:
    """What `ask` finds, or why nobody knows."""
    try:
        return ask(*arguments)
    except Unanswered as reason:
        return reason


@dataclass(frozen=True)
class Audit:
    """The weaknesses of what one lock pins, one line each, or why nobody knows of any."""

    lock: str
    shipped: bool
    weaknesses: Sequence[str] | Unanswered

    @property
    def fails(self) -> bool:
        """Whether something that is shipped has a published weakness."""
        return (
            self.shipped and not isinstance(self.weaknesses, Unanswered) and bool(self.weaknesses)
        )

    def lines(self) -> list[str]:
        """What to tell of this lock."""
        if isinstance(self.weaknesses, Unanswered):
            return [f"{self.lock}: NOT AUDITED, no service with advisories: {self.weaknesses}"]
        if not self.weaknesses:
            return [f"{self.lock}: no published weakness"]
        kind = "shipped" if self.shipped else "for tests and tools only"
        count = len(self.weaknesses)
        return [f"{self.lock} ({kind}): {count} published", *(f"  {w}" for w in self.weaknesses)]


def verdict(audits: Sequence[Audit]) -> tuple[list[str], bool]:
    """The lines to print, and whether the audit fails."""
    return [line for audit in audits for line in audit.lines()], any(a.fails for a in audits)
