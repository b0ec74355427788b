"""Prometheus metrics: counters of all processes, and gauges read at each scrape.

Source: docs/decisions/011-one-scrape-per-machine.md.
"""
