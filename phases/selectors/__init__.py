"""Reads of phases, always of one customer."""

from .repositories import RepositoryRow, count_found, list_repositories, list_repository_names
from .results import StoredResults, count_repositories, find_own_repository, find_repository, get_results
from .storage import Storage, annotate_storage, get_storage, measure_storage, read_storage
from .work import Story, WorkWanted, count_work, get_story, list_latest_fixes, list_work

__all__ = [
    "RepositoryRow",
    "Storage",
    "Story",
    "StoredResults",
    "WorkWanted",
    "annotate_storage",
    "count_found",
    "count_repositories",
    "count_work",
    "find_own_repository",
    "find_repository",
    "get_results",
    "get_storage",
    "get_story",
    "list_latest_fixes",
    "list_repositories",
    "list_repository_names",
    "measure_storage",
    "read_storage",
    "list_work",
]
