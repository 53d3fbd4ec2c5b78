import importlib.util
import sys

import cv2
import numpy as np
import pytest

from nst_video.image import contact_sheet as sheet_module
from nst_video.image.contact_sheet import CELL_PX, SheetEntry, best_columns, contact_sheet

RED, GREEN, BLUE = (230, 20, 20), (20, 200, 20), (20, 20, 230)


def flat(color, width=160, height=120):
    return np.full((height, width, 3), color, np.uint8)


def share(sheet, color):
    """Part of the sheet that has nearly this color."""
    return (np.abs(sheet.astype(int) - color).max(axis=-1) < 8).mean()


def test_sheet_shows_pictures_and_styles_on_paper():
    sheet = contact_sheet(
        [SheetEntry("Original", flat(RED)), SheetEntry("Wave", flat(GREEN), flat(BLUE, 50, 90))], 2
    )
    assert sheet.dtype == np.uint8
    assert sheet.flags.c_contiguous
    picture = CELL_PX * round(CELL_PX * 120 / 160) / (sheet.shape[0] * sheet.shape[1])
    assert share(sheet, RED) == pytest.approx(picture, rel=0.01)
    assert share(sheet, GREEN) == pytest.approx(picture, rel=0.01)
    assert 0.002 < share(sheet, BLUE) < 0.02
    left, right = sheet[:, : sheet.shape[1] // 2], sheet[:, sheet.shape[1] // 2 :]
    assert share(left, GREEN) == share(right, RED) == 0


def strip(caption):
    """The caption strip of a sheet of one picture without style."""
    sheet = contact_sheet([SheetEntry(caption, flat(RED))])
    ink = (sheet.max(axis=-1) < 120) & (sheet[..., 0] < 120)
    return ink


def test_sheet_writes_captions_that_fit():
    short, long, endless = (strip(text) for text in ("i", "Stained Glass", "Long name " * 30))
    assert 0 < short.sum() < long.sum() < endless.sum()
    columns = np.flatnonzero(endless.any(axis=0))
    assert columns[0] >= 30
    assert columns[-1] <= endless.shape[1] - 30
    assert (strip("") == 0).all()


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (9, 3), (12, 4), (16, 4), (17, 5)])
def test_columns_make_a_page_without_many_gaps(count, columns):
    assert best_columns(count, (420, 390)) == columns


def test_columns_can_be_chosen():
    entries = [SheetEntry(str(n), flat(RED)) for n in range(5)]
    wide, tall = contact_sheet(entries, 5), contact_sheet(entries, 1)
    assert wide.shape[1] > 5 * CELL_PX > 2 * CELL_PX > wide.shape[0]
    assert tall.shape[1] < 2 * CELL_PX < 4 * CELL_PX < tall.shape[0]
    assert share(wide, RED) == pytest.approx(share(tall, RED), rel=0.2)


def test_sheet_keeps_the_aspect_of_a_portrait():
    sheet = contact_sheet([SheetEntry("Tall", flat(RED, 90, 160))])
    rows = np.flatnonzero((sheet[..., 1] < 30).mean(axis=1) > 0.5)
    assert len(rows) == pytest.approx(CELL_PX * 160 / 90, abs=1)


def test_sheet_takes_a_generator_and_refuses_nothing_at_all():
    assert contact_sheet(SheetEntry("x", flat(RED)) for _ in range(3)).ndim == 3
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([])


def test_sheet_writes_captions_with_opencv_4_too(monkeypatch):
    monkeypatch.delattr(cv2, "FontFace", raising=False)
    spec = importlib.util.spec_from_file_location("nst_video_sheet_4", sheet_module.__file__)
    older = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, older)
    spec.loader.exec_module(older)
    short, long = (
        (older.contact_sheet([older.SheetEntry(text, flat(RED))]).max(axis=-1) < 120).sum()
        for text in ("i", "Stained Glass")
    )
    assert 0 < short < long
