"""Ranking candidate test files: best first, scores within the contract's bounds, any list of paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phases.test_integration.discovery.ranking import rank_candidates
from phases.test_integration.errors import InvalidValue
from phases.test_integration.services import analyze, name_test_file

HOSTILE = ["", "/", "..", "../../etc/passwd", "a\\b\\c_test.py", "x" * 100_000, "a_" * 50_000, "\x00", "測試"]


def scores(vulnerable_file: str, *candidates: str) -> list[float]:
    by_path = {each.path: each.score for each in rank_candidates(vulnerable_file, candidates)}
    return [by_path[path] for path in candidates]


class TestScore:
    @pytest.mark.parametrize(
        ("vulnerable_file", "test"),
        [
            ("app/controllers/users_controller.rb", "spec/controllers/users_controller_spec.rb"),
            ("src/controllers/UsersController.ts", "src/controllers/__tests__/UsersController.test.ts"),
            ("lib/users.py", "tests/test_users.py"),
            ("src/main/java/com/shop/UserDao.java", "src/test/java/com/shop/UserDaoTest.java"),
            ("src\\a\\b.py", "tests/a/b_test.py"),
            ("app/用户.py", "tests/test_用户.py"),
        ],
    )
    def test_mirrored_is_above_1_4(self, vulnerable_file, test):
        (score,) = scores(vulnerable_file, test)
        assert 1.4 < score <= 1.5

    @pytest.mark.parametrize(
        ("vulnerable_file", "near", "stranger"),
        [
            ("app/models/user.rb", "spec/other/users_spec.rb", "spec/models/order_spec.rb"),
            ("app/models/users.rb", "spec/other/user_spec.rb", "spec/models/order_spec.rb"),
            ("app/models/category.rb", "spec/other/categories_spec.rb", "spec/models/order_spec.rb"),
            ("app/models/user.rb", "spec/other/user_profile_settings_spec.rb", "spec/models/order_spec.rb"),
            ("app/models/authentication.rb", "spec/auth_spec.rb", "spec/models/order_spec.rb"),
        ],
    )
    def test_near_name_is_above_an_unrelated_name(self, vulnerable_file, near, stranger):
        near_score, stranger_score = scores(vulnerable_file, near, stranger)
        assert near_score > stranger_score

    @pytest.mark.parametrize(
        ("vulnerable_file", "stranger"),
        [
            ("app/controllers/users_controller.rb", "spec/controllers/orders_controller_spec.rb"),
            ("src/main/java/com/shop/UserDao.java", "src/test/java/com/shop/OrderDaoTest.java"),
            ("app/a/b/c/users.py", "tests/a/b/c/test_orders.py"),
            ("lib/users.py", "README"),
        ],
    )
    def test_unrelated_name_is_below_one_half(self, vulnerable_file, stranger):
        (score,) = scores(vulnerable_file, stranger)
        assert score < 0.5

    def test_same_module_elsewhere_is_above_near_names(self):
        same, near = scores("app/models/user.rb", "spec/requests/user_spec.rb", "spec/requests/users_spec.rb")
        assert same > near

    def test_name_made_of_directories_counts(self):
        flat, other = scores("billing/stripe/client.py", "tests/test_billing_client.py", "tests/test_http.py")
        assert flat > 0.5 > other

    @given(st.text(), st.text())
    def test_stays_between_0_and_1_5(self, vulnerable_file, candidate):
        (score,) = scores(vulnerable_file, candidate)
        assert 0.0 <= score <= 1.5

    @pytest.mark.parametrize("path", HOSTILE, ids=range(len(HOSTILE)))
    def test_scores_hostile_paths(self, path):
        assert rank_candidates(path, ["tests/test_users.py"])
        assert rank_candidates("app/users.py", [path])


class TestOrder:
    def test_is_best_first(self):
        ranked = rank_candidates(
            "app/users.py", ["tests/test_x.py", "tests/test_users.py", "tests/test_user.py"]
        )
        assert [each.path for each in ranked] == [
            "tests/test_users.py",
            "tests/test_user.py",
            "tests/test_x.py",
        ]

    def test_keeps_ties_in_input_order(self):
        ranked = rank_candidates("app/users.py", ["b/x.py", "a/x.py", "b/x.py"])
        assert [each.path for each in ranked] == ["b/x.py", "a/x.py", "b/x.py"]

    def test_words_of_the_vulnerability_type_do_not_count_against_a_test(self):
        paths = ["tests/sec/test_users_reporting.py", "tests/sec/test_sql_injection_users.py"]
        assert rank_candidates("app/users.py", paths, "sql_injection")[0].path == paths[1]


class TestAnalyze:
    def test_without_candidates_returns_the_fallback(self):
        analysis = analyze(vulnerable_file="app/users.py", candidate_test_files=[], framework="pytest")
        assert analysis.recommendations == ()
        assert analysis.fallback.path == "tests/security/test_security_users.py"

    def test_fallback_is_what_naming_gives(self):
        named = name_test_file(vulnerable_file="a/b.rb", vulnerability_type="xss", framework="rspec")
        analysis = analyze(
            vulnerable_file="a/b.rb", candidate_test_files=["x"], framework="RSpec", vulnerability_type="xss"
        )
        assert analysis.fallback.path == named.path

    @pytest.mark.parametrize("candidates", ["tests/test_a.py", None, [1], {"a": 1}])
    def test_wrong_candidates_name_the_field(self, candidates):
        with pytest.raises(InvalidValue) as rejected:
            analyze(vulnerable_file="a.py", candidate_test_files=candidates, framework="pytest")
        assert rejected.value.field == "candidateTestFiles"
