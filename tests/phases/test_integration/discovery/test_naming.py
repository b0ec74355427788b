"""Naming a new test file by its framework's conventions, always inside the project."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phases.test_integration.errors import InvalidValue, UnsupportedFramework
from phases.test_integration.frameworks import FRAMEWORKS
from phases.test_integration.services import name_test_file


def path_of(vulnerable_file: str, kind: str, framework: str) -> str:
    return name_test_file(vulnerable_file=vulnerable_file, vulnerability_type=kind, framework=framework).path


class TestEachFramework:
    @pytest.mark.parametrize(
        ("vulnerable_file", "framework", "expected"),
        [
            (
                "app/controllers/users_controller.rb",
                "rspec",
                "spec/security/users_controller_sql_injection_spec.rb",
            ),
            ("app/models/User.rb", "minitest", "test/security/user_sql_injection_test.rb"),
            (
                "src/controllers/UsersController.ts",
                "vitest",
                "__tests__/security/UsersController.sqlInjection.test.ts",
            ),
            ("src/user-list.jsx", "jest", "__tests__/security/UserList.sqlInjection.test.jsx"),
            ("src/Users.vue", "mocha", "__tests__/security/Users.sqlInjection.test.js"),
            (
                "app/controllers/users_controller.py",
                "pytest",
                "tests/security/test_sql_injection_users_controller.py",
            ),
            ("app/users.py", "unittest", "tests/security/test_sql_injection_users.py"),
            (
                "core/src/main/java/com/shop/UserDao.java",
                "junit5",
                "core/src/test/java/com/shop/UserDaoSqlInjectionTest.java",
            ),
            ("UserDao.java", "junit5", "src/test/java/security/UserDaoSqlInjectionTest.java"),
            ("src/UserRepository.php", "phpunit", "tests/Security/UserRepositorySqlInjectionTest.php"),
            ("lib/shop/users.ex", "exunit", "test/security/users_sql_injection_test.exs"),
            ("internal/db/users.go", "go", "internal/db/users_sql_injection_test.go"),
        ],
    )
    def test_has_its_own_convention(self, vulnerable_file, framework, expected):
        assert path_of(vulnerable_file, "sql_injection", framework) == expected

    def test_is_known_in_any_case(self):
        assert path_of("a.py", "xss", "PyTest") == "tests/security/test_xss_a.py"

    def test_unknown_is_rejected_by_name(self):
        with pytest.raises(UnsupportedFramework, match="unsupported framework") as rejected:
            path_of("a.py", "xss", "nose")
        assert rejected.value.fields == {"framework": "unsupported framework: 'nose'"}

    def test_wrong_type_names_the_field(self):
        with pytest.raises(InvalidValue) as rejected:
            path_of("a.py", 7, "pytest")  # type: ignore[arg-type]
        assert rejected.value.field == "type"


class TestPathSafety:
    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("SQL Injection", "sql_injection"),
            ("NoSQLInjection", "no_sql_injection"),
            ("xss.reflected", "xss_reflected"),
            ("../../etc/passwd", "etc_passwd"),
            ("..\\win", "win"),
            ("détournement", "detournement"),
            ("注入", "security"),
            ("\x00\n", "security"),
            ("", "security"),
        ],
    )
    def test_kind_is_sanitized(self, kind, expected):
        assert path_of("a.py", kind, "pytest") == f"tests/security/test_{expected}_a.py"

    @pytest.mark.parametrize(
        ("vulnerable_file", "expected"),
        [
            ("app\\users.py", "users"),
            ("app/auth/__init__.py", "auth"),
            ("app/.env", "env"),
            ("用户.py", "module"),
            ("", "module"),
            ("a b.c.py", "a_b_c"),
            ("x/" * 5000 + "y" * 5000, "y" * 80),
        ],
    )
    def test_module_is_sanitized(self, vulnerable_file, expected):
        assert path_of(vulnerable_file, "xss", "pytest") == f"tests/security/test_xss_{expected}.py"

    def test_keeps_the_capitals_of_a_class(self):
        assert path_of("src/XMLParser.ts", "xss", "jest") == "__tests__/security/XMLParser.xss.test.ts"

    def test_go_drops_directories_that_lead_out(self):
        assert path_of("../../etc/x.go", "xss", "go") == "etc/x_xss_test.go"

    @given(st.text(), st.text(), st.sampled_from(sorted(FRAMEWORKS)))
    def test_is_always_a_safe_relative_path(self, vulnerable_file, kind, framework):
        path = path_of(vulnerable_file, kind, framework)
        assert set(path) <= set(string.ascii_letters + string.digits + "_-./")
        assert not path.startswith("/")
        assert not {"", ".", ".."}.intersection(path.split("/"))
        assert len(path.rpartition("/")[2]) < 255
