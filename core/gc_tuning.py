"""Settings of Python's garbage collector for processes that answer requests."""

import gc


def freeze_loaded() -> None:
    """Exclude everything loaded so far from garbage collection, and collect less often.

    Call it once at start, when all modules are loaded. Collections then run after some requests, not during
    each.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
