"""Every text for users in Python code is marked for gettext.

Every literal that looks like text must be an argument of a translation function, even if it is assigned to a
variable, dict or constant first. Docstrings, logs, patterns and errors for developers are excluded, because
no user reads them, and so are whole modules: see UNREAD.

API error messages stay English on purpose, because programs read the error codes. Messages of domain errors
that pages also show are marked with gettext_noop and translated when a page shows them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.functional import Promise

from billing.models import Notification, PaymentIncident
from core.error_messages import translate_error
from core.errors import DomainError
from customers.models import AuditLogEntry
from phases.models import PhaseExecution

ROOT = Path(settings.BASE_DIR)
APPS = ("billing", "core", "customers", "phases", "provisioning", "rsolv")
# Modules whose texts no customer reads, by a part of their path.
UNREAD = {
    "/admin/": "staff read English",
    "/admin.py": "staff read English",
    "/rsolv/staff/": "staff read English",
    "/work_queue.py": "staff read English",
    "/rsolv/staff/business_metrics/": "staff read English",
    "/customers/staff_receivers.py": "staff read English",
    "/management/": "operators read English",
    "/settings/": "operators read English",
    "/checks.py": "operators read English",
    "/migrations/": "written by Django",
    "/models": "help texts are for staff; choices that customers read are looked at in TestChoices",
    "/api/": "the API speaks English",
    "/test_integration/": "the engine answers the API",
    "/phases/engine_": "between processes",
    "/services/": "errors are looked at in TestErrors; what is recorded stays as it was recorded",
    "/customers/receivers.py": "what is recorded stays as it was recorded",
    "/selectors": "rows and numbers, and a list for operators",
    "/stripe_gateway/": "for Stripe and for logs",
    "/metrics": "names and help of metrics",
    "/gauges.py": "names and help of metrics",
    "/core/server/": "answers to what is no HTTP",
    "/core/redis/": "for developers",
    "/core/outbox/": "recorded with a row, for staff",
    "/core/tracing.py": "for operators",
    "/ledger.py": "SQL",
    "/locks.py": "SQL",
    "/customers/key_cache.py": "Lua",
    "/customers/display_names.py": "names of Unicode's categories",
    "/core/http/user_agents.py": "names of products, recorded as they are",
    "/billing/plans.py": "names of our plans, the same in every language",
    "/rsolv/portal/time_zone.py": "names of the IANA's",
    "/rsolv/portal/security.py": "security.txt is for programs",
    "/core/errors.py": "has its own gettext_noop",
    "/core/error_messages.py": "translates what is marked elsewhere",
}
MARKS = {
    *("_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"),
    *("pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"),
}
# Calls whose arguments no customer reads: logs, patterns, errors for developers, recorded texts.
UNREAD_CALLS = re.compile(
    r"(log|logger)\.\w+|re\.\w+|structlog\.\w+|(services\.)?record_audit_log_entry|record_login_action|format_html(_join)?"
    r"|ImproperlyConfigured|ValueError|LookupError|TypeError|RuntimeError|AssertionError|BadRequest|PermissionDenied"
)
NAMES = {"Python", "JavaScript, TypeScript", "Ruby", "Java", "Go", "Elixir", "GitHub", "Stripe", "RSOLV"}
# Values of headers and cookies.
PROTOCOL = re.compile(
    r"attachment; filename=.*|[a-z]+/[a-z]+; charset=utf-8|private, no-store|public, max-age=.*"
    r"|Location|Cookie|Lax"
)
WORDS = re.compile(r"[A-Za-z]{2,}[,;:.!?…]?\s+[A-Za-z(]|^[A-Z][a-z]+[.!?…]?$")
# Choices whose labels customers read in pages, mails and files.
CHOICES = (AuditLogEntry.Action, Notification.Kind, PaymentIncident.Kind, PhaseExecution.Severity)
# Parts of modules whose errors only the API returns.
API_ONLY = ("api", "test_integration", "engine", "stripe_gateway", "management", "process_webhook")


def list_modules(unread: tuple[str, ...]) -> list[Path]:
    paths = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py"))]
    return [
        path for path in paths if not any(part in f"/{path.relative_to(ROOT).as_posix()}" for part in unread)
    ]


class Finder(ast.NodeVisitor):
    """Collect text literals outside of translation functions, and their arguments that are not literals."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []

    def visit_Call(self, node: ast.Call) -> None:
        name = ast.unparse(node.func)
        if name.rpartition(".")[2] in MARKS and isinstance(node.func, ast.Name):
            for each in node.args[: 2 if "n" in name.partition("gettext")[0] else 1]:
                if not isinstance(each, ast.Constant):
                    self.found.append((node.lineno, f"not a literal: {ast.unparse(each)}"))
        elif not UNREAD_CALLS.fullmatch(name):
            self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Skip comparisons: their operands are not shown."""

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._look_at(node.lineno, node.value)

    def _look_at(self, line: int, text: str) -> None:
        if WORDS.search(text) and text not in NAMES and not PROTOCOL.fullmatch(text):
            self.found.append((line, text))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        text = "".join(str(each.value) if isinstance(each, ast.Constant) else "0" for each in node.values)
        self._look_at(node.lineno, text)
        for each in node.values:
            if isinstance(each, ast.FormattedValue):
                self.visit(each.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        pass

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for each in (
            *node.decorator_list,
            *node.args.defaults,
            *filter(None, node.args.kw_defaults),
            *node.body,
        ):
            self.visit(each)

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]


def list_unmarked(code: str) -> list[tuple[int, str]]:
    finder = Finder()
    finder.visit(ast.parse(code))
    return sorted(finder.found)


def list_errors(code: str, names: set[str]) -> Iterator[tuple[int, str]]:
    """Yield unmarked messages of domain errors, in their classes and where they are raised."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ClassDef) and node.name in names:
            for name, value in _list_assigned(node):
                if name == "message" and not _is_marked(value):
                    yield value.lineno, ast.unparse(value)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names:
            for each in node.args[:1]:
                if isinstance(each, ast.Constant | ast.JoinedStr | ast.BinOp):
                    yield each.lineno, ast.unparse(each)


def _list_assigned(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for each in (each for each in node.body if isinstance(each, ast.Assign)):
        target, value = each.targets[0], each.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            yield from zip(map(ast.unparse, target.elts), value.elts, strict=True)
        else:
            yield ast.unparse(target), value


def _is_marked(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "gettext_noop"


def list_error_classes(base: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """Yield every domain error that a page may show."""
    for each in base.__subclasses__():
        if not any(part in each.__module__ for part in API_ONLY) and each.__module__.split(".")[0] in APPS:
            yield each
        yield from list_error_classes(each)


class TestCode:
    @pytest.mark.parametrize(
        "path", list_modules(tuple(UNREAD)), ids=lambda path: str(path.relative_to(ROOT))
    )
    def test_has_no_unmarked_texts(self, path: Path) -> None:
        assert list_unmarked(path.read_text()) == []

    @pytest.mark.parametrize(
        "code",
        [
            'messages.info(request, "You left.")',
            'title = "Fixes"',
            'words = {"a": ("key", "Two words")}',
            'form = Field(label="Your name")',
            'text = f"{count} fixes are left"',
            '_(f"{count} fixes are left")',
            '_("a" + name)',
            "_(name)",
            'ngettext("one fix", words, count)',
            'return "Choose " "a plan"',
            'def show(title="Open billing"): pass',
            'show(error_messages={"required": "Say why."})',
            'other.gettext("Not a mark")',
        ],
    )
    def test_unmarked_texts_are_detected(self, code: str) -> None:
        assert len(list_unmarked(code.replace("return", "x ="))) == 1

    @pytest.mark.parametrize(
        "code",
        [
            '_("You left.")',
            '"""Shown to nobody."""',
            'log.info("plan changed")',
            'x == "two words"',
            'a: "Two"',
        ],
    )
    def test_texts_that_need_no_mark_are_ignored(self, code: str) -> None:
        assert list_unmarked(code) == []

    @pytest.mark.parametrize("part", UNREAD)
    def test_excluded_modules_exist(self, part: str) -> None:
        every = [f"/{path.relative_to(ROOT).as_posix()}" for path in list_modules(())]
        assert any(part in name for name in every)


class TestErrors:
    def test_messages_are_marked(self) -> None:
        names = {each.__name__ for each in list_error_classes()}
        found = [
            (path.relative_to(ROOT).as_posix(), *each)
            for path in list_modules(("/api/", "/test_integration/", "/engine_", "/management/", "/staff/"))
            for each in list_errors(path.read_text(), names)
        ]
        assert found == []

    def test_unmarked_texts_are_detected(self) -> None:
        code = (
            "class Late(DomainError):\n    code, message = 'A', 'Too late.'\n"
            "raise Late('Very late.')\nraise Late(gettext_noop('Late.'))"
        )
        assert [line for line, _ in list_errors(code, {"Late"})] == [2, 3]

    def test_are_english_in_the_api_and_translated_on_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        error = DomainError("At most %(count)d keys.", params={"count": 5})
        monkeypatch.setattr("core.error_messages.gettext", {error.template: "Höchstens %(count)d."}.get)
        assert (error.message, translate_error(error)) == ("At most 5 keys.", "Höchstens 5.")


class TestChoices:
    @pytest.mark.parametrize("choices", CHOICES)
    def test_labels_are_translated(self, choices: type) -> None:
        assert all(isinstance(label, Promise) for label in choices.labels)  # type: ignore[attr-defined]
