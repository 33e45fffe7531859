"""The product's application, which also tells how many connections its process holds in memory.

Run by ``gunicorn tests.integration.counting_application:create()``.
"""

import gc
from typing import Any

from gunicorn.asgi.protocol import ASGIProtocol

from todo.app import Application, create_app

PATH = "/connections"


class CountingApplication:
    """Answers ``PATH`` itself; everything else is the product's."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.after_fork = application.after_fork
        self.close = application.close

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection's event (ASGI)."""
        if scope.get("path") != PATH:
            await self._application(scope, receive, send)
            return
        gc.collect()
        held = sum(isinstance(one, ASGIProtocol) for one in gc.get_objects())
        body = str(held).encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def create() -> CountingApplication:
    """The factory that gunicorn calls."""
    return CountingApplication(create_app())
