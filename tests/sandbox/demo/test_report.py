import pytest

from sandbox.demo.report import CheckFailed, Report


class TestReport:
    def test_counts_the_checks_of_a_step(self, capsys: pytest.CaptureFixture[str]) -> None:
        report = Report()
        with report.step("Look"):
            report.check("one", True)
            report.check("two", True)
        report.print_table()
        assert report.steps[0].checks == 2
        assert "1  Look" in capsys.readouterr().out

    def test_raises_with_the_actual_value_if_a_check_fails(self) -> None:
        report = Report()
        with pytest.raises(CheckFailed, match="three: found 4"), report.step("Look"):
            report.check("three", False, 4)

    def test_an_exception_in_a_step_is_a_failed_check(self) -> None:
        with pytest.raises(CheckFailed, match="KeyError"), Report().step("Look"):
            raise KeyError("gone")
