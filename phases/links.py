"""Links into the forge, made of what a customer's runner named. Pure.

The runner's text is never a link: only the number in it is used, so that neither user names in addresses nor
look-alike letters, ports or other schemes lead a reader elsewhere.
"""

import re
from urllib.parse import quote

GITHUB = "https://github.com"
# `owner/name` as the forge writes it, and what may follow the number: a tab of the page.
PATH = re.compile(
    r"/([A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100})/pull/([1-9][0-9]{0,9})(?:[/?#][^\s]*)?", re.ASCII
)


def find_pull_request(url: str, *, forge_url: str = GITHUB, repository: str = "") -> str:
    """The address of a pull request at the forge, empty where `url` is none.

    With `repository` (`owner/name`, case does not matter) it must be one of that repository.
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
    """`#71`, of an address that `find_pull_request` has given."""
    return f"#{url.rpartition('/')[2]}" if url else ""


def build_issue_url(repository: str, issue_number: int, *, forge_url: str = GITHUB) -> str:
    return f"{forge_url}/{quote(repository)}/issues/{issue_number}"
