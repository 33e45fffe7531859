"""gunicorn's settings, found by itself in this folder: ``gunicorn`` alone serves the API.

They live in the package, so that an installed ``todo serve`` has the same ones.
"""

from todo.serving import *  # noqa: F403
