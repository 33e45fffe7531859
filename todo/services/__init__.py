"""The rules. Every function that touches a task takes the owner first; no web framework here."""
