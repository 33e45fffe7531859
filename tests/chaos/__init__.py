"""What is left when servers are killed (SIGKILL) under writers that repeat, and listeners."""
