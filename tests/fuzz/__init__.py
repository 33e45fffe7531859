"""Fuzzing the contract: `python -m tests.fuzz` (`make fuzz`)."""
