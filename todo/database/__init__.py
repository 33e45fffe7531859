"""The way to the database.

``engine`` builds engines from URLs, ``deadline`` bounds every wait, ``work`` holds the only ways
to read and to write, ``failures`` says what a database error means for the client, ``schema``
migrates and knows whether it is up to date.
"""
