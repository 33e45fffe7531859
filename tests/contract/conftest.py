"""CI leaves out what `make fuzz`, its next step, does again and further."""

from tests.depth import IN_CI

collect_ignore = ["test_schemathesis.py"] if IN_CI else []
