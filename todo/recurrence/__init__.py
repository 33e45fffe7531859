"""When a task that repeats is due next: rules of RFC 5545, their days, the due dates of a series.

Nothing here knows tasks, requests or the database.
"""
