"""How far tests look that could look for ever: as far as one waits for, and further in CI.

What is random (hypothesis, schemathesis) finds most of what it finds in its first examples; the
rest is for a machine that has the time. `CI` in the environment makes the difference.
"""

import os

import pytest

IN_CI = bool(os.environ.get("CI"))

ONLY_IN_CI = pytest.mark.skipif(not IN_CI, reason="CI=true (they take long)")


def examples(usual: int, in_ci: int) -> int:
    """How many examples a test makes here."""
    return in_ci if IN_CI else usual
