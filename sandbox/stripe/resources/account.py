"""GET /v1/account: the one account of the sandbox."""

from typing import Any

from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import missing_object
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record

ACCOUNT_ID = "acct_sandbox00000001"

_DUE: dict[str, Any] = {
    "alternatives": [],
    "current_deadline": None,
    "currently_due": [],
    "disabled_reason": None,
    "errors": [],
    "eventually_due": [],
    "past_due": [],
    "pending_verification": [],
}


@route("GET", "/v1/account")
def retrieve_current(env: StripeEnvironment, params: Record) -> Record:
    return {
        "id": ACCOUNT_ID,
        "object": "account",
        "business_profile": {
            "mcc": None,
            "name": "Sandbox",
            "product_description": None,
            "support_address": None,
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": None,
        },
        "business_type": None,
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "US",
        "created": 1700000000,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "sandbox@example.com",
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/accounts/{ACCOUNT_ID}/external_accounts",
        },
        "future_requirements": _DUE,
        "metadata": {},
        "payouts_enabled": True,
        "requirements": _DUE,
        "settings": {
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "card_payments": {
                "decline_on": {"avs_failure": True, "cvc_failure": True},
                "statement_descriptor_prefix": None,
            },
            "dashboard": {"display_name": "Sandbox", "timezone": "Etc/UTC"},
            "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": "offer"},
            "payments": {"statement_descriptor": "SANDBOX"},
            "payouts": {"debit_negative_balances": True, "schedule": {"delay_days": 2, "interval": "daily"}},
        },
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "standard",
    }


@route("GET", "/v1/accounts/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    if id != ACCOUNT_ID:
        raise missing_object("account", id)
    return retrieve_current(env, params)
