import pytest

from core.http.user_agents import describe_browser

LIKE = "Mozilla/5.0 (%s) AppleWebKit/537.36 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0", "Firefox on Linux"),
        (LIKE % "Windows NT 10.0; Win64" + "Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        (LIKE % "Linux; Android 15; Pixel 9" + "Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        (LIKE % "Macintosh; Intel Mac OS X 10_15_7" + "Version/18.0 Safari/605.1", "Safari on macOS"),
        (LIKE % "iPhone; CPU iPhone OS 18_0 like Mac OS X" + "CriOS/140.0 Safari/604.1", "Chrome on iPhone"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown browser"),
        ("<script>" * 20, ("<script>" * 20)[:60]),
    ],
)
def test_names_browser_and_system(user_agent, words):
    assert describe_browser(user_agent) == words
