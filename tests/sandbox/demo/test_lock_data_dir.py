from pathlib import Path

import pytest

from sandbox.demo.__main__ import lock_data_dir


class TestLockDataDir:
    def test_empties_the_folder_of_a_former_demo(self, tmp_path: Path) -> None:
        folder = tmp_path / "demo"
        folder.mkdir()
        (folder / "stripe.sqlite3").touch()
        with lock_data_dir(folder):
            assert not folder.exists()

    def test_leaves_a_folder_alone_that_no_demo_has_made(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").touch()
        with pytest.raises(SystemExit, match="not made by a demo"), lock_data_dir(tmp_path):
            pass
        assert (tmp_path / "thesis.txt").exists()

    def test_two_demos_do_not_share_a_folder(self, tmp_path: Path) -> None:
        with (
            lock_data_dir(tmp_path / "demo"),
            pytest.raises(SystemExit, match="already"),
            lock_data_dir(tmp_path / "demo"),
        ):
            pass
