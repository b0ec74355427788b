"""Names that are taken, and the new ones that are made from them."""

from phases.test_integration.taken import Taken


class TestTaken:
    def test_leaves_a_free_name_as_it_is(self):
        assert Taken(["a"]).take("b") == "b"

    def test_gives_the_first_free_number(self):
        assert Taken(["a", "a2", "a4"]).take("a") == "a3"

    def test_holds_what_it_gave(self):
        taken = Taken([], " ")
        assert [taken.take("a") for _ in range(3)] == ["a", "a 2", "a 3"]

    def test_tells_letters_of_another_case_apart_unless_it_folds(self):
        assert "A" not in Taken(["a"])
        assert Taken(["a"], folds=True).take("A") == "A2"
