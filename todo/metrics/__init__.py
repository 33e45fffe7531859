"""Metrics: what this server counts and measures, for Prometheus.

``catalogue`` declares each metric. Whoever knows of something tells the metric of it, and the
metric does nothing while metrics are off. ``exporter`` turns them on and serves them from
gunicorn's master, for all workers together; ``sampler`` reads, once a second, what is no event.
"""
