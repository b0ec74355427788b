"""Python's garbage collector, as processes that answer requests have it."""

import gc


def freeze_loaded() -> None:
    """What has been loaded stays: collections pass it by, and come once for some requests, not for each."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
