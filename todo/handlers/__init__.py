"""Plain functions named by operationId, one module for each tag of the contract.

HTTP in, one service call, HTTP out. A coroutine function runs on the event loop; everything else
runs on a thread, inside a Flask request.
"""
