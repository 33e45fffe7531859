"""The ASGI layers around Connexion, from the outside in.

``request_id`` (request id, default headers), ``client_address`` (the client behind trusted
proxies), ``cors``, ``error_boundary`` (every exception becomes a problem document), ``rate_limits``
(requests in time), ``request_limits`` (target and body), then Connexion, whose last layer is
``flask_adapter``: the one hop to Flask. ``turns`` says whose request gets a thread next.
"""
