"""Links to GitHub, built from what a customer's runner reported. Pure.

The runner's text never becomes a link: only its repository and number are used, so that user names in URLs,
look-alike letters, ports and other schemes cannot lead a reader to another site.
"""

import re
from urllib.parse import quote

GITHUB = "https://github.com"
# `owner/name` as GitHub allows it. After the number, the path of a tab of the page may follow.
PATH = re.compile(
    r"/([A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100})/pull/([1-9][0-9]{0,9})(?:[/?#][^\s]*)?", re.ASCII
)


def find_pull_request(url: str, *, forge_url: str = GITHUB, repository: str = "") -> str:
    """Return the canonical URL of a pull request at `forge_url`, "" where `url` is not one.

    With `repository` (`owner/name`, case-insensitive), the pull request must belong to it.
    """
    host, path = url[: len(forge_url)], url[len(forge_url) :]
    match = PATH.fullmatch(path)
    if host.lower() != forge_url.lower() or match is None:
        return ""
    named = match[1]
    if ".." in named.replace("/", " ").split() or (repository and named.lower() != repository.lower()):
        return ""
    return f"{forge_url}/{named}/pull/{match[2]}"


def name_pull_request(url: str) -> str:
    """Return `#71` for a URL from `find_pull_request`, "" for ""."""
    return f"#{url.rpartition('/')[2]}" if url else ""


def build_issue_url(repository: str, issue_number: int, *, forge_url: str = GITHUB) -> str:
    return f"{forge_url}/{quote(repository)}/issues/{issue_number}"
