"""Address formats of well-known mail providers: which addresses share one mailbox. Pure.

Deliberately a short list of our own: signups are never limited per domain for a domain listed here (see
docs/decisions/022). So each must be a provider that gives each person one mailbox and whose domains cannot be
bought. For other domains only `+tag` is recognized.
"""

from dataclasses import dataclass

PLUS = "+"


@dataclass(frozen=True)
class Provider:
    """`separators` start a tag; `ignored` characters make no difference.

    `is_one`: a user name is the same mailbox at all domains. Its canonical address uses the first domain.
    """

    domains: tuple[str, ...]
    separators: str = PLUS
    ignored: str = ""
    is_one: bool = False
    has_subdomains: bool = False  # anything@name.domain is delivered to name


def _under(name: str, *suffixes: str) -> tuple[str, ...]:
    return tuple(f"{name}.{suffix}" for suffix in suffixes)


PROVIDERS = (
    Provider(("gmail.com", "googlemail.com"), ignored=".", is_one=True),
    Provider(("proton.me", "protonmail.com", "protonmail.ch", "pm.me"), ignored="._-", is_one=True),
    Provider(("icloud.com", "me.com", "mac.com"), is_one=True),
    Provider(
        ("yandex.com", "ya.ru", *_under("yandex", "ru", "by", "kz", "ua", "com.tr")),
        ignored=".-",
        is_one=True,
    ),
    Provider(
        (
            *_under("yahoo", "com", "co.uk", "co.in", "co.jp", "co.id", "co.nz", "co.za", "com.ar", "com.au"),
            *_under(
                "yahoo", "com.br", "com.mx", "com.ph", "com.sg", "com.tr", "com.tw", "com.vn", "ca", "de"
            ),
            *_under("yahoo", "dk", "es", "fr", "gr", "ie", "in", "it", "no", "pl", "ro", "se"),
            *("ymail.com", "rocketmail.com", "myyahoo.com"),
        ),
        separators="+-",
    ),
    Provider(
        (
            "fastmail.com",
            "fastmail.fm",
            "fastmail.net",
            "fastmail.org",
            "fastmail.co.uk",
            "fastmail.de",
            "sent.com",
        ),
        has_subdomains=True,
    ),
    Provider(
        (
            *_under(
                "outlook", "com", "at", "be", "cl", "co.id", "co.il", "co.th", "com.ar", "com.au", "com.br"
            ),
            *_under(
                "outlook",
                "com.tr",
                "cz",
                "de",
                "dk",
                "es",
                "fr",
                "hu",
                "ie",
                "in",
                "it",
                "jp",
                "kr",
                "pt",
                "sa",
            ),
            *_under(
                "hotmail", "com", "co.uk", "be", "ca", "ch", "co.jp", "com.ar", "com.au", "com.br", "com.mx"
            ),
            *_under("hotmail", "com.tr", "de", "dk", "es", "fi", "fr", "gr", "it", "nl", "no", "se"),
            *_under(
                "live",
                "com",
                "co.uk",
                "be",
                "ca",
                "cn",
                "com.au",
                "com.mx",
                "de",
                "dk",
                "fr",
                "ie",
                "in",
                "it",
            ),
            *_under("live", "nl", "no", "se"),
            *("msn.com", "windowslive.com", "passport.com"),
        )
    ),
    Provider(
        (
            *(
                "aol.com",
                "aim.com",
                "att.net",
                "bellsouth.net",
                "sbcglobal.net",
                "comcast.net",
                "verizon.net",
            ),
            *("cox.net", "charter.net", "earthlink.net", "shaw.ca", "rogers.com", "sympatico.ca", "hey.com"),
            *("gmx.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de"),
            *("posteo.de", "posteo.net", "mailbox.org", "tutanota.com", "tutanota.de", "tuta.com", "tuta.io"),
            *("bluewin.ch", "orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "sfr.fr", "libero.it"),
            *("virgilio.it", "tiscali.it", "telenet.be", "skynet.be", "ziggo.nl", "kpnmail.nl", "xs4all.nl"),
            *("btinternet.com", "sky.com", "virginmedia.com", "talktalk.net", "ntlworld.com", "eircom.net"),
            *("wp.pl", "o2.pl", "onet.pl", "interia.pl", "gazeta.pl", "seznam.cz", "centrum.cz", "azet.sk"),
            *("mail.ru", "bk.ru", "inbox.ru", "list.ru", "rambler.ru", "ukr.net", "abv.bg", "freemail.hu"),
            *(
                "sapo.pt",
                "terra.com.br",
                "uol.com.br",
                "bol.com.br",
                "ig.com.br",
                "bigpond.com",
                "xtra.co.nz",
            ),
            *("qq.com", "163.com", "126.com", "yeah.net", "sina.com", "sohu.com", "foxmail.com", "139.com"),
            *("naver.com", "daum.net", "hanmail.net", "nate.com", "docomo.ne.jp", "rediffmail.com"),
            *("zoho.com", "zohomail.com", "zohomail.eu", "zohomail.in", "hushmail.com", "mail.com"),
        )
    ),
)
BY_DOMAIN = {domain: provider for provider in PROVIDERS for domain in provider.domains}
ANY_OTHER = Provider(())
