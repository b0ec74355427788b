import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rsolv.portal.workflow import TOOLCHAINS, WorkflowOptions, write_workflow

OPTIONS = WorkflowOptions(action="rsolv-dev/rsolv-action@v3", api_url="https://app.example.com")


def read(text: str) -> dict[str, object]:
    read: dict[str, object] = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - BaseLoader makes texts, lists and maps alone
    return read


class TestWriteWorkflow:
    def test_every_combination_conforms_to_the_github_schema(self, tmp_path: Path) -> None:
        triggers, modes = ("schedule", "push", "pull_request", "manual"), ("scan", "validate", "full")
        for trigger in triggers:
            for mode in modes:
                options = WorkflowOptions(
                    OPTIONS.action, OPTIONS.api_url, trigger=trigger, mode=mode, languages=tuple(TOOLCHAINS)
                )
                (tmp_path / f"{trigger}-{mode}.yml").write_text(write_workflow(options))
        checker = [str(Path(sys.executable).parent / "check-jsonschema")]
        files = [str(path) for path in tmp_path.glob("*.yml")]
        command = [*checker, "--builtin-schema", "vendor.github-workflows", *files]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(files) == 12

    def test_schema_rejects_an_invalid_workflow(self, tmp_path: Path) -> None:
        (tmp_path / "bad.yml").write_text(write_workflow(OPTIONS).replace("runs-on", "runs"))
        checker = str(Path(sys.executable).parent / "check-jsonschema")
        command = [checker, "--builtin-schema", "vendor.github-workflows", str(tmp_path / "bad.yml")]
        assert subprocess.run(command, capture_output=True, check=False).returncode != 0

    def test_uses_the_key_as_a_secret_and_our_api_url(self) -> None:
        text = write_workflow(OPTIONS)
        assert "${{ secrets.RSOLV_API_KEY }}" in text
        assert "RSOLV_API_URL: https://app.example.com" in text

    @pytest.mark.parametrize(("mode", "may_write"), [("scan", False), ("full", True)])
    def test_requests_minimal_permissions(self, mode: str, may_write: bool) -> None:
        options = WorkflowOptions(OPTIONS.action, OPTIONS.api_url, mode=mode)  # type: ignore[arg-type]
        assert ("pull-requests: write" in write_workflow(options)) is may_write

    @given(st.text(min_size=1).filter(lambda text: text.isprintable()))
    def test_escapes_every_branch_name(self, branch: str) -> None:
        text = write_workflow(WorkflowOptions(OPTIONS.action, OPTIONS.api_url, trigger="push", branch=branch))
        found = read(text)
        assert found["on"]["push"]["branches"] == [branch]  # type: ignore[index]
        assert set(found) == {"name", "on", "permissions", "concurrency", "jobs"}
