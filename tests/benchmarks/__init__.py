"""Ours against three other stacks: what an answer costs, how long it takes, what memory it needs.

`python -m tests.benchmarks` (or `make bench`) runs it; `README.md` says how to read it.

operations   what is asked, as data
callers      who asks: users with their tokens, true and forged
requests     operations rendered to bytes
dataset      what all databases hold: the same users with the same tasks
stacks       the other stacks: `seed`, `expert`, `floor`
contenders   who is measured, how it is started, and where it does something else than ours
servers      a contender running in processes of its own
database     what is asked of PostgreSQL itself
asking       one question to a contender, read as a client would
sameness     whether all really answer the same
answers      where an answer ends, and what its head says
outcome      what came of a run: statuses and latencies
load         the load: keep-alive connections, one thread, standard library only
spread       the same number of connections on each worker
cpu, memory, starts   the measures beside latency
rounds       the order: interleaved rounds, saturated and at half load, each after a warm-up
comparison   all contenders prepared, started, checked and measured
summary      medians, ranges and ratios
tables, report, picture   the result as text, as JSON, and as one picture
growth       what the same questions cost of few tasks and of many, ours alone
tokens       what a token costs: its signature, and the memory that spares it
delay, distance   a database that is 10 ms away
soak         many requests: does ours keep its memory?
options      the command line
"""
