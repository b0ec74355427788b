"""Reads of phases, always of one customer."""

from .repositories import RepositoryRow, count_found, list_repositories, list_repository_names
from .results import StoredResults, find_own_repository, find_repository, get_results
from .work import Story, WorkWanted, count_work, get_story, list_latest_fixes, list_work

__all__ = [
    "RepositoryRow",
    "Story",
    "StoredResults",
    "WorkWanted",
    "count_found",
    "count_work",
    "find_own_repository",
    "find_repository",
    "get_results",
    "get_story",
    "list_latest_fixes",
    "list_repositories",
    "list_repository_names",
    "list_work",
]
