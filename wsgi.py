"""Where gunicorn and other servers find the application: ``wsgi:app`` (ASGI, despite the name)."""

from todo.app import create_app
from todo.logs import configure
from todo.settings.settings import Settings

settings = Settings.from_env()
configure(settings.log_level, settings.log_format)

app = create_app(settings)
