from sandbox.alert_tests.report import write_table

REPORT = {
    "ok": True,
    "problems": [],
    "alerts": {"CacheDown": {"seconds_to_firing": 6.5, "fault": "Redis is killed"}},
    "queries": {"api: Requests [A]": {"rows": 3}},
    "seconds": {"all": 150.2},
}


class TestWriteTable:
    def test_shows_what_fired_each_alert(self):
        assert "CacheDown                      6.5  Redis is killed" in write_table(REPORT)

    def test_ends_with_ok_where_nothing_is_wrong(self):
        assert write_table(REPORT).splitlines()[-1] == "test-alerts: ok, 150.2 s"

    def test_ends_with_one_line_for_each_problem(self):
        problems = ["alert CacheDown did not fire", "panel api: Requests [A] had no data"]
        report = REPORT | {"ok": False, "problems": problems, "alerts": {"CacheDown": None}}
        assert write_table(report).splitlines()[-3:] == [
            "FAILED: alert CacheDown did not fire",
            "FAILED: panel api: Requests [A] had no data",
            "test-alerts: 2 failed, 150.2 s",
        ]
