"""Only the gateway reads Stripe's JSON; other modules get snapshots."""

import ast
from collections.abc import Iterator
from inspect import get_annotations
from pathlib import Path

import pytest
import stripe

ROOT = Path(__file__).parents[3]
GATEWAY = ROOT / "billing" / "stripe_gateway"
APPS = ("billing", "customers", "phases", "provisioning", "rsolv")
# dj-stripe's rows may be asked for by their own columns here; what they hold of Stripe's is the gateway's.
MAY_QUERY_MIRROR = {
    "billing/admin/stripe_mirror.py",
    "billing/services/webhooks/prune_events.py",
    "provisioning/selectors.py",
    "billing/services/payments/sync_payment_state.py",
    "billing/services/subscriptions/refresh_account.py",
    *(f"billing/selectors/{name}.py" for name in ("billed_lines", "explained_invoice", "invoices")),
}
# The column by name, so that it is hidden from the staff's logs.
MAY_NAME_THE_COLUMN = {"core/admin/secrets.py"}


def list_stripe_fields() -> set[str]:
    """Return the fields of Stripe's objects whose names have two words and are not also names of ours."""
    kinds = (
        *(stripe.Charge, stripe.Customer, stripe.Dispute, stripe.Invoice, stripe.InvoiceLineItem),
        *(stripe.Price, stripe.Refund, stripe.Subscription, stripe.SubscriptionItem, stripe.checkout.Session),
        *(stripe.InvoiceLineItem.Pricing, stripe.Invoice.Parent, stripe.Price.Recurring),
        *(stripe.InvoiceLineItem.Parent, stripe.Invoice.StatusTransitions),
    )
    return {name for kind in kinds for name in get_annotations(kind) if "_" in name.strip("_")} - OURS


# Words of Stripe's that are keys of our own dictionaries too.
OURS = {"cancel_at", "cancel_url", "payment_method", "period_end", "success_url"}
FIELDS = list_stripe_fields()


def find_reads(source: str, *, may_query: bool = False) -> list[str]:
    """Return one line for each place where a module reads Stripe's JSON."""
    return [f"{line}: {what}" for line, what in _iterate_reads(ast.parse(source), may_query=may_query)]


def _iterate_reads(tree: ast.AST, *, may_query: bool) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr="stripe_data"):
                yield node.lineno, "reads stripe_data"
            case ast.Constant(value=str(text)) if text.startswith("stripe_data"):
                yield node.lineno, "names stripe_data"
            case ast.keyword(arg=str(name)) if name.startswith("stripe_data"):
                yield node.value.lineno, "asks inside of stripe_data"
            case ast.Subscript(slice=ast.Constant(value=str(key))) if key in FIELDS:
                yield node.lineno, f"takes Stripe's {key}"
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(key)), *_]) if (
                key in FIELDS
            ):
                yield node.lineno, f"takes Stripe's {key}"
            case (
                ast.Subscript(
                    value=ast.Subscript(slice=ast.Constant(value="data")), slice=ast.Constant(value="object")
                )
                | ast.Subscript(value=ast.Attribute(attr="data"), slice=ast.Constant(value="object"))
            ):
                yield node.lineno, "opens an event"
            case ast.ImportFrom(module=str(name)) | ast.alias(name=str(name)) if _is_raw(name):
                if not (may_query and name in ("djstripe", "djstripe.models")):
                    yield getattr(node, "lineno", 0), f"imports {name}"


def _is_raw(module: str) -> bool:
    return module.partition(".")[0] in ("djstripe", "stripe")


def list_modules() -> list[Path]:
    found = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    return [path for path in found if GATEWAY not in path.parents and "migrations" not in path.parts]


class TestOutsideTheGateway:
    def test_nothing_reads_stripes_json(self):
        found = {}
        for path in list_modules():
            name = str(path.relative_to(ROOT))
            reads = find_reads(path.read_text(), may_query=name in MAY_QUERY_MIRROR)
            if reads and name not in MAY_NAME_THE_COLUMN:
                found[name] = reads
        assert found == {}

    def test_no_invoice_is_mirrored_without_all_its_lines(self):
        """Stripe embeds the first ten: `mirror.mirror_invoice` reads the rest."""
        writers = [p.name for p in GATEWAY.glob("*.py") if "(djstripe.Invoice," in p.read_text()]
        assert writers == ["mirror.py"]

    def test_no_object_is_mirrored_without_its_mode_being_checked(self):
        """`mirror.mirror_object` checks the mode of whatever it writes."""
        sources = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
        assert [p for p in sources if "sync_from_stripe_data" in p.read_text()] == [GATEWAY / "mirror.py"]

    def test_no_exception_is_out_of_date(self):
        unused = {
            name for name in MAY_QUERY_MIRROR if not find_reads((ROOT / name).read_text(), may_query=False)
        }
        assert unused == set()


class TestFindReads:
    @pytest.mark.parametrize(
        "source",
        [
            "row.stripe_data['status']",
            "rows.values_list('id', 'stripe_data')",
            "rows.values_list('stripe_data__number')",
            "rows.filter(stripe_data__status='open')",
            "Q(stripe_data__status='open')",
            "event.data['object']['id']",
            "payload['data']['object']",
            "invoice['hosted_invoice_url']",
            "invoice.get('amount_remaining')",
            "item['current_period_end']",
            "line.get('price_details')",
            "price['usage_type']",
            "from djstripe.models import Invoice",
            "from djstripe.event_handlers import djstripe_receiver",
            "from stripe import Subscription",
            "import stripe",
        ],
    )
    def test_finds_each_way_to_read_it(self, source):
        assert len(find_reads(source)) == 1

    @pytest.mark.parametrize(
        "source", ["body['data']", "row['status']", "found.stripe_customer_id", "invoice.number"]
    )
    def test_leaves_words_of_our_own_alone(self, source):
        assert find_reads(source) == []

    def test_a_selector_may_import_the_rows_and_nothing_else(self):
        assert find_reads("from djstripe.models import Invoice", may_query=True) == []
        assert len(find_reads("from djstripe.event_handlers import x", may_query=True)) == 1
