"""`python -m sandbox.stripe --port 12111 --state var/stripe.sqlite3 [--mail-dir var/mail]`"""

import argparse
import signal
import threading

from sandbox.stripe.clock import DAY
from sandbox.stripe.server import StripeSandbox


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.stripe", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--state", help="SQLite file in which the state survives a restart")
    parser.add_argument("--mail-dir", help="folder of Django's file-based email backend, shown on the page")
    parser.add_argument("--clock", type=int, help="unix time at which a sandbox without a state begins")
    parser.add_argument(
        "--forget-identifiers-after",
        type=int,
        default=DAY,
        metavar="SECONDS",
        help="age at which the identifier of a meter event may be used again",
    )
    given = parser.parse_args()
    finished = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: finished.set())
    with StripeSandbox(
        host=given.host,
        port=given.port,
        state=given.state,
        mail_dir=given.mail_dir,
        identifier_seconds=given.forget_identifiers_after,
    ) as sandbox:
        if given.clock is not None and not sandbox.control.state():
            with sandbox.env.store.lock:
                sandbox.env.move_clock(given.clock)
        print(f"Stripe sandbox on {sandbox.url}", flush=True)
        finished.wait()


if __name__ == "__main__":
    main()
