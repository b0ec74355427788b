import shutil
from pathlib import Path

import pytest

SHOP = Path(__file__).resolve().parents[3] / "sandbox" / "shop"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the shop, which the test may change."""
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder
