"""A multi-user Todo REST API, contract first.

The package, from the outside in (imports run downwards only; ``app`` alone sees everybody):

================== ================================================================================
``cli``            ``todo serve | migrate | token | doctor | demo-data | purge``
``doctor``         what the API stands on, looked at from outside
``serving``        how gunicorn serves the application
``app``            ``create_app(settings)``: wiring, and nothing else
``edge``           ASGI: request id, CORS, error boundary, request guard, the one hop to Flask
``security``       Connexion's security handler: from a bearer token to the caller
``contract``       what makes Connexion strict and fast: document, validators, parameters, resolver
``handlers``       plain functions named by operationId: HTTP in, one service call, HTTP out
``answers``        what HTTP adds to an answer: conditional requests, a link to the next page
``services``       the rules; the owner comes first; one unit of work per write
``database``       engine, deadlines, reads and the unit of work, what a failure means
``migrations``     Alembic's steps to the schema
``models``         the schema
``identity``       token verification, without any web framework
``problems``       how an error is raised, and how it is rendered
``kinds``          every error a client can see: code, status, words
``logs``           one event per line
``settings``       every environment variable
``origins``        what is an origin, what a URL of the web
``strength``       what makes a shared secret no secret
``instance``       the embedded default's secret, made once
================== ================================================================================

``specs/architecture.md`` tells the same story in one page, ``specs/api/`` what the API promises.
"""

import warnings

__version__ = "0.1.0"

# Connexion imports Starlette's test client, which it does not use and which says so.
warnings.filterwarnings("ignore", "Using `httpx` with `starlette.testclient` is deprecated")
