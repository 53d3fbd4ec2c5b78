"""Fixtures shared by all tests: where the real clips, pictures and models are."""

import os
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def assets() -> Path:
    """Folder of real models, clips and pictures; absent ones skip, except in CI."""
    folder = Path(os.environ.get("NST_VIDEO_ASSETS", REPO.parent / "shared" / "assets"))
    if not folder.is_dir():
        reason = f"no test assets in {folder} (set NST_VIDEO_ASSETS)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test away from the user's real cache, config and styles."""
    monkeypatch.setenv("NST_VIDEO_HOME", str(tmp_path / "home"))
