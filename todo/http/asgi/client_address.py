"""The client's address, where trusted proxies stand between the client and this server."""

from starlette.types import ASGIApp, Receive, Scope, Send

from todo.values.addresses import client_behind, networks


class ClientAddress:
    """Makes ``scope["client"]`` the client: a trusted proxy's ``X-Forwarded-For`` names it."""

    def __init__(self, app: ASGIApp, *, proxies: tuple[str, ...]) -> None:
        """``proxies`` are the addresses and networks of ``TRUSTED_PROXIES``."""
        self._app = app
        self._proxies = networks(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as its client's."""
        if self._proxies and scope["type"] == "http" and scope.get("client"):
            peer, port = scope["client"]
            lines = scope["headers"]
            forwarded = [v.decode("latin-1") for name, v in lines if name == b"x-forwarded-for"]
            client = client_behind(peer, forwarded, self._proxies)
            if client != peer:
                port = 0
            scope["client"] = (client, port)
        await self._app(scope, receive, send)
