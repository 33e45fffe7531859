"""What came of a run: answers by status, how long each took, and one unexpected answer."""

import math
from collections import Counter
from dataclasses import dataclass, field

from tests.benchmarks.answers import status_of

EVIDENCE_BYTES = 1000


@dataclass
class Outcome:
    """The answers of one run."""

    expected: frozenset[int]
    seconds: float = 0.0
    reconnects: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)  # seconds, one for each answer
    unexpected: str = ""

    @property
    def requests(self) -> int:
        """How many requests were answered, whatever the answer."""
        return self.statuses.total()

    @property
    def errors(self) -> int:
        """How many answers had another status than an expected one."""
        return self.requests - sum(self.statuses[status] for status in self.expected)

    def count(self, answer: bytes | bytearray, latency: float) -> None:
        """Take one complete answer into account; keep the first unexpected one as evidence."""
        status = status_of(answer)
        self.statuses[status] += 1
        self.latencies.append(latency)
        if status not in self.expected and not self.unexpected:
            self.unexpected = answer[:EVIDENCE_BYTES].decode("utf-8", errors="replace")

    def percentile_ms(self, percent: float) -> float:
        """The latency that so many percent of the answers did not exceed (nearest rank)."""
        ranked = sorted(self.latencies)
        return 1000 * ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]
