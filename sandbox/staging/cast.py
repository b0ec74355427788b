"""Who is staged: one customer for each state that an account can be in."""

from dataclasses import dataclass

PASSWORD = "demo-password"  # noqa: S105 - of people who are made up
STAFF = "staff@demo.example"
# What an authenticator app is given for the second step of staff; `make staff-code` is such an app.
STAFF_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - of the demo only
# Where Stripe's clock must stand at the latest for the story to be told whole.
BEGINS_DAYS_AGO = 41


@dataclass(frozen=True)
class Actor:
    """A customer of the story and where it is to stand once the story is told.

    `used` are the fixes of the trial or of the current period.
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


ACTORS = (
    Actor("trial", "trial, 3 of 10 used", "Fernwood Labs", "fernwood", "trial", "trialing", 3),
    Actor(
        "exhausted",
        "trial exhausted",
        "Brightquay",
        "brightquay",
        "trial",
        "trialing",
        10,
        "trial_exhausted",
    ),
    Actor("payg", "pay-as-you-go", "Halden & Sons", "halden", "payg", "active", 3),
    Actor("teams", "teams with overage", "Northlight Systems", "northlight", "teams", "active", 64),
    Actor("pastdue", "past due", "Corvid Analytics", "corvid", "teams", "past_due", 0),
    Actor(
        "cancelled",
        "cancelled",
        "Old Mill Software",
        "oldmill",
        "payg",
        "canceled",
        4,
        "subscription_canceled",
    ),
)
