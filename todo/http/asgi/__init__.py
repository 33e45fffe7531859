"""The ASGI layers around Connexion, from the outside in.

``envelope`` (request id, default headers), ``cors``, ``boundary`` (every
exception becomes a problem document), ``guard`` (target and body), then Connexion, whose last
layer is ``bridge``: the one hop to Flask.
"""
