"""The rules. Every function takes the owner first; no web framework here."""
