"""`python -m sandbox.github --port 12113`: run the sandbox GitHub and print the settings that use it."""

import argparse
import time

from .server import CLIENT_ID, CLIENT_SECRET, GitHubSandbox


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=12113)
    with GitHubSandbox(port=parser.parse_args().port) as github:
        print(f"GITHUB_URL={github.url} GITHUB_CLIENT_ID={CLIENT_ID} GITHUB_CLIENT_SECRET={CLIENT_SECRET}")
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
