"""Who is calling: token verification, without any web framework."""

from typing import Final

ME: Final = "me"
"""The path segment that stands for the caller."""
