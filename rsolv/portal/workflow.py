"""The workflow file that runs the Action, made from what a customer tells. Pure.

https://docs.github.com/actions/reference/workflow-syntax-for-github-actions
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import yaml

Trigger = Literal["schedule", "push", "pull_request", "manual"]
Mode = Literal["scan", "validate", "full"]

# What a runner needs to run the tests of a language: the action that sets it up, and its settings.
TOOLCHAINS: dict[str, tuple[str, dict[str, str]]] = {
    "python": ("actions/setup-python@v5", {"python-version": "3.12"}),
    "javascript": ("actions/setup-node@v4", {"node-version": "20"}),
    "ruby": ("ruby/setup-ruby@v1", {"bundler-cache": "true"}),
    "java": ("actions/setup-java@v4", {"distribution": "temurin", "java-version": "21"}),
    "php": ("shivammathur/setup-php@v2", {"php-version": "8.3"}),
    "go": ("actions/setup-go@v5", {"go-version": "stable"}),
    "elixir": ("erlef/setup-beam@v1", {"otp-version": "27", "elixir-version": "1.17"}),
}
# What each mode may write: a scan opens issues, a proof is a branch, a fix is a pull request.
PERMISSIONS: dict[Mode, dict[str, str]] = {
    "scan": {"contents": "read", "issues": "write"},
    "validate": {"contents": "write", "issues": "write"},
    "full": {"contents": "write", "issues": "write", "pull-requests": "write"},
}


@dataclass(frozen=True)
class Workflow:
    """What the customer told. `languages` are keys of TOOLCHAINS."""

    action: str
    api_url: str
    trigger: Trigger = "schedule"
    mode: Mode = "full"
    branch: str = "main"
    languages: Sequence[str] = ()


def write_workflow(wish: Workflow) -> str:
    """The file's text. Every value is written by the YAML library: none can end its string."""
    uses: dict[str, Any] = {"rsolvApiKey": "${{ secrets.RSOLV_API_KEY }}", "mode": wish.mode}
    steps: list[dict[str, Any]] = [{"uses": "actions/checkout@v4"}]
    for language in wish.languages:
        action, settings = TOOLCHAINS[language]
        steps.append({"uses": action, "with": dict(settings)})
    steps.append({"uses": wish.action, "with": uses, "env": {"RSOLV_API_URL": wish.api_url}})
    document = {
        "name": "RSOLV",
        "on": _write_triggers(wish),
        "permissions": PERMISSIONS[wish.mode],
        "concurrency": {"group": "rsolv-${{ github.ref }}"},
        "jobs": {"rsolv": {"runs-on": "ubuntu-latest", "timeout-minutes": 60, "steps": steps}},
    }
    text: str = yaml.safe_dump(document, sort_keys=False, width=1000, default_flow_style=False)
    # YAML 1.1 reads a bare `on` as true, so the library quotes it; GitHub's own reader wants neither.
    return text.replace("'on':", "on:", 1)


def _write_triggers(wish: Workflow) -> dict[str, Any]:
    triggers: dict[str, Any] = {"workflow_dispatch": {}}
    if wish.trigger == "schedule":
        triggers["schedule"] = [{"cron": "0 5 * * 1"}]
    elif wish.trigger in ("push", "pull_request"):
        triggers[wish.trigger] = {"branches": [wish.branch]}
    return triggers
