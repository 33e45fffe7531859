"""Dates, instants, folded text and origins: what they are and how they are written."""
