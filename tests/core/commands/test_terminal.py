"""Text from customers cannot inject control characters into the output of commands and logs."""

import io
import json
import logging
import logging.config
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.apps import apps
from django.core.management import CommandError, call_command, get_commands, load_command_class

from core.commands.base import BaseCommand
from core.commands.terminal import escape_controls
from core.logging import configure_structlog

# Clears the screen, makes a link (OSC 8), sets the title (C1), overwrites a line, reverses the text.
EVIL = "Acme\x1b[2J\x1b]8;;https://evil.example\x07\x9b31m\rok\u202egnp\u2066\u200b\u2028\x7f\x00"
OUR_APPS = (
    "billing",
    "customers",
    "phases",
    "provisioning",
    "rsolv.staff.business_metrics",
    "rsolv.portal",
    "sandbox.seed",
)


def is_harmless(text: str) -> bool:
    return all(each.isprintable() or each in "\n\t" for each in text)


class TestEscapeControls:
    def test_escapes_unprintable_characters(self) -> None:
        assert escape_controls("a\x1b[2J\u202eb\x9b\r") == "a\\x1b[2J\\u202eb\\x9b\\r"

    @pytest.mark.parametrize("text", ["Zoë's 🦀 shop, 日本", "two\nlines\tand a tab", ""])
    def test_keeps_printable_characters_and_line_ends(self, text: str) -> None:
        assert escape_controls(text) == text

    def test_escapes_line_ends_when_keep_is_empty(self) -> None:
        assert escape_controls("a\nb\tc", keep="") == "a\\nb\\tc"

    def test_escapes_every_control_character_of_unicode(self) -> None:
        every = "".join(map(chr, range(0x11_0000)))
        assert is_harmless(escape_controls(every))


class TestCommands:
    def test_all_derive_from_our_base_command(self) -> None:
        ours = {name: app for name, app in get_commands().items() if app in {each.name for each in OURS}}
        assert "reconcile_billing" in ours
        bases = {name: type(load_command_class(app, name)) for name, app in ours.items()}
        assert [name for name, kind in bases.items() if not issubclass(kind, BaseCommand)] == []

    @pytest.mark.parametrize("stream", ["stdout", "stderr"])
    def test_output_contains_no_control_character(self, stream: str) -> None:
        class Command(BaseCommand):
            def handle(self, **options: Any) -> None:
                getattr(self, stream).write(EVIL)

        output = io.StringIO()
        call_command(Command(), **{stream: output})
        assert output.getvalue().startswith("Acme\\x1b[2J")
        assert is_harmless(output.getvalue())

    def test_error_contains_no_control_character(self) -> None:
        class Command(BaseCommand):
            requires_system_checks = []

            def handle(self, **options: Any) -> None:
                raise CommandError(EVIL)

        output = io.StringIO()
        with pytest.raises(SystemExit):
            Command(stderr=output).run_from_argv(["manage.py", "evil", "--no-color"])
        assert "CommandError: Acme\\x1b" in output.getvalue()
        assert is_harmless(output.getvalue())

    def test_customer_name_is_escaped(self, db: None) -> None:
        output = io.StringIO()
        name = EVIL.replace("\x00", "")
        call_command("provision_customer", "alice@acme.test", name=name, stdout=output)
        assert "Acme" in output.getvalue()
        assert is_harmless(output.getvalue())


OURS = [config for config in apps.get_app_configs() if config.name in OUR_APPS]


def log_line(*, as_json: bool, event: str, **values: Any) -> str:
    """The line that our logging configuration writes for one event."""
    configuration = configure_structlog(as_json=as_json, level="INFO")
    formatter = configuration["formatters"]["structured"]
    made = structlog.stdlib.ProcessorFormatter(
        processors=formatter["processors"], foreign_pre_chain=formatter["foreign_pre_chain"]
    )
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(made)
    logger = logging.getLogger("rsolv.test_terminal")
    logger.propagate, logger.handlers = False, [handler]
    logger.setLevel("INFO")
    structlog.wrap_logger(logger, wrapper_class=structlog.stdlib.BoundLogger).info(event, **values)
    return output.getvalue()


@pytest.fixture
def own_configuration() -> Iterator[None]:
    """Restores the configuration: loggers that other tests capture keep its list of processors."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("own_configuration")
class TestLogs:
    @pytest.mark.parametrize("as_json", [False, True])
    @pytest.mark.parametrize("values", [{"branch": EVIL}, {"names": [EVIL]}, {"map": {EVIL: EVIL}}])
    def test_contain_no_control_character(self, as_json: bool, values: Any) -> None:
        line = log_line(as_json=as_json, event="stored", **values)
        assert "Acme" in line
        assert is_harmless(line)

    @pytest.mark.parametrize("as_json", [False, True])
    def test_have_one_line_per_event(self, as_json: bool) -> None:
        line = log_line(as_json=as_json, event="stored\nfake", branch="main\n2026-01-01 [info] paid")
        assert line.count("\n") == 1

    def test_of_libraries_contain_no_control_character(self) -> None:
        log_line(as_json=False, event="x")
        logger = logging.getLogger("rsolv.test_terminal")
        output = io.StringIO()
        logger.handlers[0].setStream(output)  # type: ignore[attr-defined]
        try:
            raise ValueError(EVIL)
        except ValueError:
            logger.exception("failed for %s", EVIL)
        assert "Traceback" in output.getvalue()
        assert is_harmless(output.getvalue())

    def test_as_json_keep_the_original_value(self) -> None:
        assert json.loads(log_line(as_json=True, event="stored", branch=EVIL))["branch"] == EVIL


def test_traceback_on_the_terminal_contains_no_control_character() -> None:
    lines = (
        "import sys",
        "from core.commands.terminal import print_exception",
        "sys.excepthook = print_exception",
        f"raise ValueError({EVIL!r})",
    )
    code = "\n".join(lines)
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 1
    assert "ValueError: Acme\\x1b[2J" in found.stderr
    assert is_harmless(found.stderr)
