"""The workflow file that runs the Action, generated from the customer's options. Pure.

https://docs.github.com/actions/reference/workflow-syntax-for-github-actions
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import yaml

Trigger = Literal["schedule", "push", "pull_request", "manual"]
Mode = Literal["scan", "validate", "full"]

# The setup action that each language's tests need, and its inputs.
TOOLCHAINS: dict[str, tuple[str, dict[str, str]]] = {
    "python": ("actions/setup-python@v5", {"python-version": "3.12"}),
    "javascript": ("actions/setup-node@v4", {"node-version": "20"}),
    "ruby": ("ruby/setup-ruby@v1", {"bundler-cache": "true"}),
    "java": ("actions/setup-java@v4", {"distribution": "temurin", "java-version": "21"}),
    "php": ("shivammathur/setup-php@v2", {"php-version": "8.3"}),
    "go": ("actions/setup-go@v5", {"go-version": "stable"}),
    "elixir": ("erlef/setup-beam@v1", {"otp-version": "27", "elixir-version": "1.17"}),
}
# Permissions by mode: a scan opens issues, a proof pushes a branch, a fix opens a pull request.
PERMISSIONS: dict[Mode, dict[str, str]] = {
    "scan": {"contents": "read", "issues": "write"},
    "validate": {"contents": "write", "issues": "write"},
    "full": {"contents": "write", "issues": "write", "pull-requests": "write"},
}


@dataclass(frozen=True)
class WorkflowOptions:
    """Options of the workflow file. `languages` are keys of TOOLCHAINS."""

    action: str
    api_url: str
    trigger: Trigger = "schedule"
    mode: Mode = "full"
    branch: str = "main"
    languages: Sequence[str] = ()


def write_workflow(options: WorkflowOptions) -> str:
    """Return the file's text. The YAML library writes every value, so that no value can end its string."""
    uses: dict[str, Any] = {"rsolvApiKey": "${{ secrets.RSOLV_API_KEY }}", "mode": options.mode}
    steps: list[dict[str, Any]] = [{"uses": "actions/checkout@v4"}]
    for language in options.languages:
        action, settings = TOOLCHAINS[language]
        steps.append({"uses": action, "with": dict(settings)})
    steps.append({"uses": options.action, "with": uses, "env": {"RSOLV_API_URL": options.api_url}})
    document = {
        "name": "RSOLV",
        "on": _write_triggers(options),
        "permissions": PERMISSIONS[options.mode],
        "concurrency": {"group": "rsolv-${{ github.ref }}"},
        "jobs": {"rsolv": {"runs-on": "ubuntu-latest", "timeout-minutes": 60, "steps": steps}},
    }
    # Wider than any value, so that none is folded over two lines.
    text: str = yaml.safe_dump(document, sort_keys=False, width=1000, default_flow_style=False)
    # YAML 1.1 reads a bare `on` as true, so the library quotes it; GitHub's documentation has it bare.
    return text.replace("'on':", "on:", 1)


def _write_triggers(options: WorkflowOptions) -> dict[str, Any]:
    triggers: dict[str, Any] = {"workflow_dispatch": {}}
    if options.trigger == "schedule":
        triggers["schedule"] = [{"cron": "0 5 * * 1"}]
    elif options.trigger in ("push", "pull_request"):
        triggers[options.trigger] = {"branches": [options.branch]}
    return triggers
