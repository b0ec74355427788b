from unittest.mock import Mock

from sandbox.watch.faults import House
from sandbox.watch.monitoring import list_alerts, list_queries
from sandbox.watch.run import EMPTY_WHEN_WELL


class TestHouse:
    def test_has_one_fault_for_every_alert(self):
        house = House(*(Mock() for _ in range(6)))
        fired = [alert for faults in house.list_rounds() for fault in faults for alert in fault.alerts]
        assert sorted(fired) == sorted(alert.name for alert in list_alerts())


class TestEmptyWhenWell:
    def test_names_queries_that_exist(self):
        assert set(EMPTY_WHEN_WELL) <= {query.name for query in list_queries()}
