"""The stacks that ours is compared with.

seed      the reference stack, as documented: FastAPI and SQLModel
expert    what an expert would write for production: FastAPI, asyncpg, orjson
floor     the least that answers at all: WSGI and psycopg2, no framework
tables    the tables of `expert` and `floor`
"""
