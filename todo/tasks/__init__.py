"""Tasks: the rules. No web framework here; the user comes first."""
