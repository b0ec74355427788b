"""Every change of a phase's state, one module a verb."""

from .charge_storage import PhaseTooLarge, StorageFull
from .get_or_create_repository import TooManyRepositories, get_or_create_repository
from .recount_storage import Recount, recount_all_storage, recount_storage
from .set_storage_limit import set_storage_limit
from .store_phase import PhaseReport, store_phase

__all__ = [
    "PhaseReport",
    "PhaseTooLarge",
    "Recount",
    "StorageFull",
    "TooManyRepositories",
    "get_or_create_repository",
    "recount_all_storage",
    "recount_storage",
    "set_storage_limit",
    "store_phase",
]
