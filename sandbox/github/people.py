"""The accounts of the sandbox GitHub."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """A GitHub account. `emails` are pairs of an address and whether GitHub has confirmed it."""

    id: int
    login: str
    name: str
    emails: tuple[tuple[str, bool], ...]
    company: str = ""

    @property
    def profile(self) -> dict[str, object]:
        """Return the response of `GET /user`. It has no email address, because none is public here."""
        return {
            "id": self.id,
            "login": self.login,
            "name": self.name,
            "email": None,
            "company": self.company,
            "html_url": f"https://github.example/{self.login}",
            "avatar_url": "",
        }

    @property
    def addresses(self) -> list[dict[str, object]]:
        """Return the response of `GET /user/emails`."""
        return [
            {"email": email, "verified": verified, "primary": number == 0, "visibility": "private"}
            for number, (email, verified) in enumerate(self.emails)
        ]


OCTAVIA = Person(1001, "octavia", "Octavia Reyes", (("octavia@fernwood.example", True),), "@fernwood")
UNPROVEN = Person(1002, "unproven", "Una Proven", (("una@fernwood.example", False),))
PEOPLE = (OCTAVIA, UNPROVEN)
