"""Ours against the reference stack: CPU per request of all server processes, as a ratio.

`python -m tests.benchmarks` (or `make bench`) runs it; `README.md` says how to read it.

operations   what is asked: get one, list 20, create, update, rendered to bytes beforehand
dataset      what both databases hold: the same users with the same tasks
database     what is asked of PostgreSQL itself
sameness     whether both really answer the same
contenders   who is measured: ours, and the reference stack (`peer`)
servers      a contender running in processes of its own
load         the load: keep-alive connections, one thread, standard library only
spread       the same number of connections on each worker
cpu          the measure: CPU seconds of a process tree
rounds       the order: interleaved rounds, each sample after a warm-up
growth       what the same questions cost of few tasks and of many, ours alone
report       the result: a table, and JSON
"""
