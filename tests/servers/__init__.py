"""Real servers for tests and benchmarks, with nothing to set up by hand.

- `postgres`: `PostgresServer`, a PostgreSQL of our own (or the one that
  `TODO_TEST_DATABASE_URL` names): databases to clone, crashes, hangs and outages on demand.
- `pgbouncer`: `PgBouncer`, a pooler in transaction mode before such a server.
- `nginx`: `Nginx`, a proxy with buffers before a server of HTTP.
- `process`: `ServerProcess`, one command that serves HTTP (`todo serve`), and `free_port()`.
- `cluster`, `binaries`: how `postgres` runs a server, and where it finds the programs.
- `programs`: what tests start and a machine may lack: found, or the test is skipped.
- `reaper`: finds every process of a server, and ends them all if we die before we could.

Nothing is imported here, so that `process` stays free of psycopg2.
"""
