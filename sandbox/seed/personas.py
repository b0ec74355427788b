"""The personas: one customer for each state that an account can be in."""

from dataclasses import dataclass

PASSWORD = "demo-password"  # noqa: S105 - of fictitious users
STAFF = "staff@demo.example"
# The secret of the staff user's authenticator app. `make staff-code` prints the code of such an app.
STAFF_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - of the demo only
# Stripe's clock must start at least this many days ago for the whole timeline to run.
BEGINS_DAYS_AGO = 41


@dataclass(frozen=True)
class Persona:
    """A customer of the timeline, and its expected state at the end.

    `used` is the number of fixes in the trial or the current period.
    """

    key: str
    state: str
    company: str
    namespace: str
    plan: str
    status: str
    used: int
    blocked_reason: str | None = None

    @property
    def email(self) -> str:
        return f"{self.key}@demo.example"


PERSONAS = (
    Persona("trial", "trial, 3 of 10 used", "Fernwood Labs", "fernwood", "trial", "trialing", 3),
    Persona(
        "exhausted",
        "trial exhausted",
        "Brightquay",
        "brightquay",
        "trial",
        "trialing",
        10,
        "trial_exhausted",
    ),
    Persona("payg", "pay-as-you-go", "Halden & Sons", "halden", "payg", "active", 3),
    Persona("teams", "teams with overage", "Northlight Systems", "northlight", "teams", "active", 64),
    Persona("pastdue", "past due", "Corvid Analytics", "corvid", "teams", "past_due", 0),
    Persona(
        "canceled",
        "canceled",
        "Old Mill Software",
        "oldmill",
        "payg",
        "canceled",
        4,
        "subscription_canceled",
    ),
)
