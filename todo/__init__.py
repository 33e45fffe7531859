"""A multi-user Todo REST API, contract first.

The package, from the outside in (imports run downwards only; ``app`` alone sees everybody):

================= =================================================================================
``cli``           ``todo serve | migrate | token | doctor | demo-data | import-tasks | purge |
                  backup | restore | advance-revisions``
``serving``       how gunicorn serves the application
``connections``   how many connections a worker holds, and how long it waits for a request's head
``app``           ``create_app(settings)``: wiring, and nothing else
``tracing``       whether ``OTEL_*`` ask for traces
``spans``         a span for each request and each statement
``http.asgi``     request id, CORS, error boundary, request limits, the one hop to Flask
``http.contract`` what makes Connexion strict and fast: document, validators, parameters, resolver
``auth.bearer``   Connexion's security handler: from a bearer token to the caller
``handlers``      plain functions named by operationId: HTTP in, one service call, HTTP out
``http``          the request, the reply, and what HTTP adds: conditions, a link to the next page
``context``       what handlers take from the application they run in
``entities``      the resources of all kinds that the log names
``accounts``      local accounts: register, log in, change the password
``lists``         the rules of lists: moves, counts, what becomes of the tasks of one
``tasks``         the rules of tasks: service, filters, sorts, bulk, tags, trash, statistics
``sync``          what keeps clients and server in step, for any entity
``database``      engine, deadlines, reads and transactions, errors, the shared key sets
``migrations``    Alembic's steps to the schema
``models``        the tables
``column_types``  instants, priorities and text by code point, as the two databases write them
``auth``          token verification and passwords, without any web framework
``rate_limits``   how many requests, and wrong passwords, there were in a window of time
``problems``      how an error is raised, and how it is rendered
``problem_types`` every error that a client can see: code, status, words
``logs``          one event per line
``metrics``       what is counted and measured, for Prometheus
``settings``      every environment variable
``recurrence``    rules of RFC 5545: their days, their due dates, their English
``values``        dates, instants, folded text, origins
================= =================================================================================

``specs/architecture.md`` tells the same story in one page, ``specs/api/`` what the API promises.
"""

import warnings

__version__ = "0.1.0"

# Connexion imports Starlette's test client, which it does not use and which says so.
warnings.filterwarnings("ignore", "Using `httpx` with `starlette.testclient` is deprecated")
