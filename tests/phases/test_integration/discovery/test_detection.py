"""Detecting a project's framework from its manifests and config files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phases.test_integration.discovery.manifests import READERS
from phases.test_integration.errors import FrameworkNotDetected, InvalidValue, NothingToDetect
from phases.test_integration.services import detect_framework


def npm(**dependencies: str) -> dict[str, object]:
    return {"packageJson": {"devDependencies": dependencies}}


MANY = {f"a{number}": "1" for number in range(5_001)}


class TestPackageJson:
    @pytest.mark.parametrize(
        ("written", "version"),
        [
            ("^1.0.0", "1.0.0"),
            ("~29.0.0", "29.0.0"),
            (">=1.2.3 <2", "1.2.3"),
            ("1.x", "1.x"),
            ("2.0.0-beta.1", "2.0.0-beta.1"),
            ("npm:@scope/vitest@^3.1.0", "3.1.0"),
            ("workspace:^1.0.0", "1.0.0"),
            ("latest", None),
            ("*", None),
            ("github:vitest-dev/vitest#v1", None),
        ],
    )
    def test_version_loses_its_operator(self, written, version):
        assert detect_framework(npm(vitest=written)).version == version

    def test_vitest_comes_before_jest_before_mocha(self):
        found = detect_framework(npm(mocha="1.0.0", jest="2.0.0", vitest="3.0.0"))
        assert (found.framework, found.compatible_with) == ("vitest", ("jest", "mocha"))

    def test_config_file_outranks_a_dependency(self):
        found = detect_framework({**npm(jest="1.0.0"), "configFiles": ["./web/vitest.config.mjs"]})
        assert (found.framework, found.version, found.compatible_with) == ("vitest", None, ("jest",))

    def test_dependencies_are_read(self):
        assert detect_framework({"packageJson": {"dependencies": {"jest": "^29"}}}).version == "29"

    @pytest.mark.parametrize(
        ("section", "test_dir"),
        [
            ({"vitest": {"include": ["src/**/*.test.ts"]}}, "src/"),
            ({"vitest": {"test": {"include": ["./qa/unit/*.ts"]}}}, "qa/unit/"),
            ({"vitest": {"include": ["**/*.test.ts"]}}, "test/"),
            ({"vitest": {"include": ["{a,b}/**"]}}, "test/"),
            ({"vitest": {"include": [7, None]}}, "test/"),
            ({}, "test/"),
        ],
    )
    def test_vitest_directory_follows_include(self, section, test_dir):
        package = {"devDependencies": {"vitest": "1.0.0"}, **section}
        assert detect_framework({"packageJson": package}).test_dir == test_dir

    @pytest.mark.parametrize(
        ("pattern", "test_dir"),
        [
            ("<rootDir>/tests/**/*.test.ts", "tests/"),
            ("**/spec/**/*.js", "spec/"),
            ("**/?(*.)+(spec|test).js", "__tests__/"),
        ],
    )
    def test_jest_directory_follows_test_match(self, pattern, test_dir):
        package = {"devDependencies": {"jest": "1.0.0"}, "jest": {"testMatch": [pattern]}}
        assert detect_framework({"packageJson": package}).test_dir == test_dir


class TestGemfile:
    @pytest.mark.parametrize(
        ("line", "framework", "version"),
        [
            ("gem 'rspec', '~> 3.12'", "rspec", "~> 3.12"),
            ('gem "rspec-rails", "~> 6.0", ">= 6.0.1", group: :test', "rspec", "~> 6.0, >= 6.0.1"),
            ("group(:test) { gem('rspec') }", "rspec", None),
            ("gem 'minitest',\n    '~> 5.0'", "minitest", "~> 5.0"),
        ],
    )
    def test_constraint_is_given_as_written(self, line, framework, version):
        found = detect_framework({"gemfile": f"source 'x'\n{line}\n"})
        assert (found.framework, found.version) == (framework, version)

    @pytest.mark.parametrize("line", ["# gem 'rspec'", "  #gem 'rspec'", "=begin\ngem 'rspec'\n=end"])
    def test_comment_is_ignored(self, line):
        with pytest.raises(FrameworkNotDetected):
            detect_framework({"gemfile": line})

    def test_rspec_itself_gives_the_version(self):
        found = detect_framework({"gemfile": "gem 'rspec-rails', '6.0'\ngem 'rspec', '3.12'\ngem 'minitest'"})
        assert (found.version, found.test_dir, found.compatible_with) == ("3.12", "spec/", ("minitest",))


class TestPython:
    @pytest.mark.parametrize(
        ("line", "version"),
        [
            ("pytest==7.0.0", "7.0.0"),
            ("PyTest[testing] >= 7.1 ; python_version > '3'", "7.1"),
            ("pytest ~= 7.4  # why", "7.4"),
            ("pytest @ https://example.com/1.2.zip", None),
            ("pytest", None),
            ("pytest-cov==4.0", None),
        ],
    )
    def test_requirement_names_pytest(self, line, version):
        found = detect_framework({"requirementsTxt": f"django==4.2\n{line}\n"})
        assert (found.framework, found.version, found.test_dir) == ("pytest", version, "tests/")

    @pytest.mark.parametrize("line", ["# pytest==7", "django==4.2", "pytestify==1", "-r pytest.txt", ""])
    def test_other_lines_do_not_name_pytest(self, line):
        with pytest.raises(FrameworkNotDetected):
            detect_framework({"requirementsTxt": line})

    @pytest.mark.parametrize(
        ("toml", "version"),
        [
            ("[project]\ndependencies = ['pytest>=8']", "8"),
            ("[project.optional-dependencies]\ntest = ['pytest[x]==8.1']", "8.1"),
            ("[dependency-groups]\ndev = [{include-group='x'}, 'pytest~=8.0']", "8.0"),
            ("[tool.poetry.group.dev.dependencies]\npytest = {version='^7.2', extras=['x']}", "7.2"),
            ("[tool.poetry.dev-dependencies]\npytest = '^6.2'", "6.2"),
            ("[tool.hatch.envs.test]\ndependencies = ['pytest==8.2']", "8.2"),
            ("[tool.pytest.ini_options]\naddopts = '-q'", None),
        ],
    )
    def test_pyproject_names_pytest(self, toml, version):
        found = detect_framework({"pyprojectToml": toml})
        assert (found.framework, found.version) == ("pytest", version)

    def test_directory_follows_testpaths(self):
        toml = "[tool.pytest.ini_options]\ntestpaths = ['src/tests', 'x']"
        assert detect_framework({"pyprojectToml": toml}).test_dir == "src/tests/"

    @pytest.mark.parametrize(
        "toml",
        ["[[[", "a=" + "[" * 90_000, "a." * 120_000 + "b=1", "x" * 300_000, '"\u2028".' * 700 + "b=1"],
        ids=range(5),
    )
    def test_malformed_or_hostile_toml_is_rejected(self, toml):
        with pytest.raises(InvalidValue) as rejected:
            detect_framework({"pyprojectToml": toml})
        assert rejected.value.field == "pyprojectToml"

    def test_unittest_is_detected_by_its_runner(self):
        found = detect_framework({"requirementsTxt": "unittest-xml-reporting==3.2"})
        assert (found.framework, found.test_dir) == ("unittest", "tests/")


class TestOtherLanguages:
    def test_junit5_takes_its_version_from_a_property(self):
        pom = (
            "<properties><junit.v>5.10.0</junit.v></properties><dependency><groupId>org.junit.jupiter</groupId>"
            "<artifactId>junit-jupiter</artifactId><version>${junit.v}</version></dependency>"
        )
        found = detect_framework({"pomXml": pom})
        assert (found.framework, found.version) == ("junit5", "5.10.0")

    @pytest.mark.parametrize(
        "pom",
        [
            "<dependency><groupId>junit</groupId><artifactId>junit</artifactId></dependency>",
            "<!-- <dependency><groupId>org.junit.jupiter</groupId></dependency> -->",
            "<!-- <dependency><groupId>org.junit.jupiter</groupId></dependency>",
            '<!DOCTYPE x [<!ENTITY a "&a;&a;">]><x>&a;</x>',
            "<dependency>" * 80_000,
            "<!--" * 200_000,
        ],
        ids=range(6),
    )
    def test_other_xml_is_not_junit5(self, pom):
        with pytest.raises(FrameworkNotDetected):
            detect_framework({"pomXml": pom})

    @pytest.mark.parametrize("as_json", [False, True])
    def test_phpunit_is_in_composer_as_object_or_text(self, as_json):
        text = '{"require-dev": {"phpunit/phpunit": "^10.5"}}'
        composer = text if as_json else {"require-dev": {"phpunit/phpunit": "^10.5"}}
        found = detect_framework({"composerJson": composer})
        assert (found.framework, found.version) == ("phpunit", "10.5")

    def test_a_mix_project_has_exunit(self):
        assert detect_framework({"mixExs": "use Mix.Project"}).framework == "exunit"

    def test_a_go_module_has_go_of_its_version(self):
        found = detect_framework({"goMod": "// module x\nmodule example.com/x\n\ngo 1.22\n"})
        assert (found.framework, found.version) == ("go", "1.22")

    @pytest.mark.parametrize("given", [{"mixExs": "# use Mix.Project"}, {"goMod": "// module x"}])
    def test_comments_are_ignored(self, given):
        with pytest.raises(FrameworkNotDetected):
            detect_framework(given)


class TestConfigFiles:
    @pytest.mark.parametrize(
        ("name", "framework"),
        [
            ("vitest.config.ts", "vitest"),
            ("jest.config.json", "jest"),
            (".mocharc.json", "mocha"),
            ("test/mocha.opts", "mocha"),
            ("pytest.ini", "pytest"),
            (".rspec", "rspec"),
            ("spec/spec_helper.rb", "rspec"),
            ("web\\jest.config.js", "jest"),
            ("phpunit.xml.dist", "phpunit"),
        ],
    )
    def test_file_name_identifies_the_framework(self, name, framework):
        assert detect_framework({"configFiles": [name]}).framework == framework

    @pytest.mark.parametrize("name", ["my-jest.config.js", "spec_helper.rb", "jest.config.js.bak"])
    def test_other_file_names_do_not(self, name):
        with pytest.raises(FrameworkNotDetected):
            detect_framework({"configFiles": [name]})


class TestRejections:
    @pytest.mark.parametrize("given", [{}, {"gemfile": None}, {"unknown": "x"}])
    def test_nothing_given(self, given):
        with pytest.raises(NothingToDetect) as rejected:
            detect_framework(given)
        assert (rejected.value.status, rejected.value.code) == (400, "INVALID_REQUEST")

    @pytest.mark.parametrize("given", [{"packageJson": {}}, {"gemfile": ""}, {"configFiles": []}])
    def test_given_without_a_framework(self, given):
        with pytest.raises(FrameworkNotDetected) as rejected:
            detect_framework(given)
        assert rejected.value.status == 422

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"packageJson": "{}"}, "packageJson"),
            ({"packageJson": {"devDependencies": ["jest"]}}, "packageJson.devDependencies"),
            ({"packageJson": {"dependencies": {"jest": 1}}}, "packageJson.dependencies"),
            ({"gemfile": ["x"]}, "gemfile"),
            ({"pomXml": 1}, "pomXml"),
            ({"goMod": "x" * 1_000_001}, "goMod"),
            ({"pyprojectToml": "x" * 262_145}, "pyprojectToml"),
            ({"packageJson": {"dependencies": MANY}}, "packageJson.dependencies"),
            ({"configFiles": ["a"] * 20_001}, "configFiles"),
            ({"composerJson": "{"}, "composerJson"),
            ({"composerJson": "[" * 100_000}, "composerJson"),
            ({"configFiles": "jest.config.js"}, "configFiles"),
            ({"configFiles": [1]}, "configFiles"),
        ],
    )
    def test_wrong_types_name_the_field(self, given, field):
        with pytest.raises(InvalidValue) as rejected:
            detect_framework(given)
        assert rejected.value.field == field

    def test_manifests_of_a_megabyte_together_are_rejected(self):
        with pytest.raises(InvalidValue, match="together"):
            detect_framework({"gemfile": "\n" * 500_000, "goMod": "\n" * 500_001})

    @given(st.sampled_from(sorted(READERS)), st.text() | st.dictionaries(st.text(), st.text() | st.none()))
    def test_any_value_is_answered_or_rejected(self, key, value):
        try:
            detect_framework({key: value})
        except (FrameworkNotDetected, InvalidValue):
            return
