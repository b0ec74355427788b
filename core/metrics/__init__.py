"""What Prometheus is told: counted in processes, read at each scrape, given to the scraper alone.

Source: docs/decisions/011-one-scrape-per-machine.md.
"""
