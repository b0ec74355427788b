from pathlib import Path

import pytest

from sandbox.demo.__main__ import lock_data_dir


class TestLockDataDir:
    def test_empties_the_folder_of_an_earlier_demo(self, tmp_path: Path) -> None:
        folder = tmp_path / "demo"
        folder.mkdir()
        (folder / "stripe.sqlite3").touch()
        with lock_data_dir(folder):
            assert not folder.exists()

    def test_keeps_a_folder_that_no_demo_has_created(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").touch()
        with pytest.raises(SystemExit, match="not made by a demo"), lock_data_dir(tmp_path):
            pass
        assert (tmp_path / "thesis.txt").exists()

    def test_rejects_a_folder_that_another_demo_uses(self, tmp_path: Path) -> None:
        with (
            lock_data_dir(tmp_path / "demo"),
            pytest.raises(SystemExit, match="already"),
            lock_data_dir(tmp_path / "demo"),
        ):
            pass
