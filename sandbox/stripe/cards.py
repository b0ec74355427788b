"""Stripe's documented test cards: the behavior of each token and number."""

from dataclasses import dataclass

from sandbox.stripe.errors import StripeFailure, card_error


@dataclass(frozen=True)
class Card:
    """A test card. `behavior` names the bank's response.

    `attaches`: it can be saved. `asks_once`: after one 3-D Secure authentication it pays without another.
    """

    behavior: str
    brand: str
    last4: str
    attaches: bool = True
    asks_once: bool = False


# behavior -> (code, decline_code, message)
DECLINES: dict[str, tuple[str, str | None, str]] = {
    "generic_decline": ("card_declined", "generic_decline", "Your card was declined."),
    "insufficient_funds": ("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "lost_card", "Your card was declined."),
    "stolen_card": ("card_declined", "stolen_card", "Your card was declined."),
    "expired_card": ("expired_card", "expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
}
SUCCESS, AUTHENTICATION = "success", "authentication_required"
BEHAVIORS = (SUCCESS, AUTHENTICATION, *DECLINES)

# By Stripe's testing page, declined cards cannot be attached, except for the one made for that (0341).
_BY_TOKEN: dict[str, Card] = {
    "visa": Card(SUCCESS, "visa", "4242"),
    "visa_debit": Card(SUCCESS, "visa", "5556"),
    "mastercard": Card(SUCCESS, "mastercard", "4444"),
    "amex": Card(SUCCESS, "amex", "8431"),
    "discover": Card(SUCCESS, "discover", "9424"),
    "us": Card(SUCCESS, "visa", "4242"),
    "chargeCustomerFail": Card("generic_decline", "visa", "0341"),
    "chargeDeclined": Card("generic_decline", "visa", "0002", attaches=False),
    "chargeDeclinedInsufficientFunds": Card("insufficient_funds", "visa", "9995", attaches=False),
    "chargeDeclinedLostCard": Card("lost_card", "visa", "9987", attaches=False),
    "chargeDeclinedStolenCard": Card("stolen_card", "visa", "9979", attaches=False),
    "chargeDeclinedExpiredCard": Card("expired_card", "visa", "0069", attaches=False),
    "chargeDeclinedIncorrectCvc": Card("incorrect_cvc", "visa", "0127", attaches=False),
    "chargeDeclinedProcessingError": Card("processing_error", "visa", "0119", attaches=False),
    "authenticationRequired": Card(AUTHENTICATION, "visa", "3184"),
    "authenticationRequiredOnSetup": Card(AUTHENTICATION, "visa", "3155", asks_once=True),
    "threeDSecure2Required": Card(AUTHENTICATION, "visa", "3220"),
}
_BY_NUMBER: dict[str, str] = {
    "4242424242424242": "visa",
    "4000056655665556": "visa_debit",
    "5555555555554444": "mastercard",
    "378282246310005": "amex",
    "6011111111111117": "discover",
    "4000000000000341": "chargeCustomerFail",
    "4000000000000002": "chargeDeclined",
    "4000000000009995": "chargeDeclinedInsufficientFunds",
    "4000000000009987": "chargeDeclinedLostCard",
    "4000000000009979": "chargeDeclinedStolenCard",
    "4000000000000069": "chargeDeclinedExpiredCard",
    "4000000000000127": "chargeDeclinedIncorrectCvc",
    "4000000000000119": "chargeDeclinedProcessingError",
    "4000002760003184": "authenticationRequired",
    "4000002500003155": "authenticationRequiredOnSetup",
    "4000000000003220": "threeDSecure2Required",
}


def card_for_token(token: str) -> Card | None:
    """Find the card of `pm_card_…` or `tok_…`, with or without the brand in its name."""
    for prefix in ("pm_card_", "tok_"):
        if token.startswith(prefix):
            name = token[len(prefix) :]
            return _BY_TOKEN.get(name) or _BY_TOKEN.get(name.removeprefix("visa_"))
    return None


def card_for_number(number: str) -> Card:
    digits = number.replace(" ", "")
    if digits not in _BY_NUMBER:
        message = "Your card number is incorrect."
        raise card_error(message, code="incorrect_number", param="number")
    return _BY_TOKEN[_BY_NUMBER[digits]]


def not_authenticated(intent: str) -> StripeFailure:
    """Build the error of a failed authentication of a payment or setup intent."""
    message = (
        "We are unable to authenticate your payment method. Please choose a different payment method "
        "and try again."
    )
    return card_error(message, code=f"{intent}_authentication_failure")


def declined(behavior: str, **extra: object) -> StripeFailure:
    """Build the bank's decline for a behavior in DECLINES."""
    code, decline_code, message = DECLINES[behavior]
    return card_error(message, code=code, decline_code=decline_code, **extra)
