from unittest.mock import Mock

import pytest

from sandbox.alert_tests.faults import FaultInjector
from sandbox.alert_tests.monitoring import list_alerts, list_queries


@pytest.fixture
def injector():
    return FaultInjector(*(Mock() for _ in range(6)))


class TestFaultInjector:
    def test_has_one_fault_for_every_alert(self, injector):
        fired = [alert for faults in injector.list_rounds() for fault in faults for alert in fault.alerts]
        assert sorted(fired) == sorted(alert.name for alert in list_alerts())

    def test_names_panels_that_exist(self, injector):
        assert set(injector.list_fault_panels()) <= {query.name for query in list_queries()}
