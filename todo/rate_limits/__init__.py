"""How many requests, and how many tries at a password, there were in a window of time."""
