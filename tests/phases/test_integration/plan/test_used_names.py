"""Making names unique among the names used in a file."""

from phases.test_integration.plan.used_names import UsedNames


class TestUsedNames:
    def test_keeps_an_unused_name(self):
        assert UsedNames(["a"]).reserve("b") == "b"

    def test_adds_the_first_unused_number(self):
        assert UsedNames(["a", "a2", "a4"]).reserve("a") == "a3"

    def test_remembers_reserved_names(self):
        used_names = UsedNames([], " ")
        assert [used_names.reserve("a") for _ in range(3)] == ["a", "a 2", "a 3"]

    def test_is_case_sensitive_by_default(self):
        assert "A" not in UsedNames(["a"])
        assert UsedNames(["a"], ignores_case=True).reserve("A") == "A2"
