"""Training pictures: reading, splitting, augmenting."""

import numpy as np
import pytest
from training_samples import pictures

from nst_video.errors import SourceError, UsageError
from nst_video.image.files import save_picture
from nst_video.image.resize import center_square
from nst_video.training import (
    dataset,
)


class TestDataset:
    def test_pictures_are_split_by_name_and_nothing_is_in_both_parts(self, folder):
        split = dataset.read_pictures([folder])
        names = [path.name for path in folder.iterdir()]
        expected = sum(dataset.is_held_out(name) for name in names)
        assert (len(split.training), len(split.held_out)) == (20 - expected, expected)
        ours = {picture.tobytes() for picture in split.training}
        assert not ours & {picture.tobytes() for picture in split.held_out}

    def test_about_one_name_in_ten_is_held_out(self):
        assert 70 < sum(dataset.is_held_out(f"{i}.jpg") for i in range(1000)) < 130

    def test_too_few_pictures_are_refused(self, tmp_path):
        save_picture(tmp_path / "one.png", pictures(1)[0])
        with pytest.raises(UsageError, match="1 pictures"):
            dataset.read_pictures([tmp_path])

    def test_broken_pictures_are_left_out_with_a_note(self, folder):
        (folder / "cut.png").write_bytes((folder / "1.png").read_bytes()[:-300])
        (folder / "empty.jpg").touch()
        notes = []
        split = dataset.read_pictures([folder], notes.append)
        assert len(split.training) + len(split.held_out) == 20
        assert ("cut.png" in notes[0], "empty.jpg" in notes[1]) == (True, True)
        with pytest.raises(SourceError, match="cannot be read: no such file"):
            dataset.read_pictures([folder / "none"])

    def test_large_pictures_are_shrunk(self, folder):
        save_picture(folder / "large.png", np.zeros((30, 3000, 3), np.uint8))
        split = dataset.read_pictures([folder])
        sides = [
            max(picture.shape) for part in (split.training, split.held_out) for picture in part
        ]
        assert max(sides) == dataset.MAX_SIDE

    def test_the_middle_square_is_taken(self):
        wide = np.zeros((20, 60, 3), np.uint8)
        wide[:, 20:40] = 200
        assert (center_square(wide, 10) == 200).all()

    def test_crops_show_parts_of_the_picture(self):
        gradient = np.tile(np.arange(200, dtype=np.uint8)[None, :, None], (100, 1, 3))
        rng = np.random.default_rng(0)
        crops = [dataset.random_crop(gradient, 32, rng) for _ in range(20)]
        assert {crop.shape for crop in crops} == {(32, 32, 3)}
        ranges = [int(crop.max()) - int(crop.min()) for crop in crops]
        assert min(ranges) < 40
        assert max(ranges) > 60
        steps = [int(crop[0, -1, 0]) - int(crop[0, 0, 0]) for crop in crops]
        assert min(steps) < 0 < max(steps)  # some are mirrored

    def test_jitter_of_no_strength_changes_hardly_anything(self):
        picture = pictures(1)[0]
        rng = np.random.default_rng(0)
        none = dataset.jitter(picture, rng, 0).astype(int)
        assert np.abs(none - picture).mean() < 3
        assert np.abs(dataset.jitter(picture, rng, 1).astype(int) - picture).mean() > 10

    def test_procedural_pictures_are_of_many_kinds(self):
        rng = np.random.default_rng(0)
        drawn = [dataset.procedural(64, rng) for _ in range(60)]
        assert {(picture.shape, picture.dtype) for picture in drawn} == {
            ((64, 64, 3), np.dtype("u1"))
        }
        colors = [len(np.unique(picture.reshape(-1, 3), axis=0)) for picture in drawn]
        assert min(colors) < 9  # flat areas
        assert max(colors) > 2000  # noise
        assert np.mean([picture.std() > 10 for picture in drawn]) > 0.8

    def test_batches_depend_on_nothing_but_the_generator(self):
        drawn = [
            dataset.content_batch(pictures(3), 12, 32, np.random.default_rng(5)) for _ in range(2)
        ]
        assert drawn[0].shape == (12, 32, 32, 3)
        assert drawn[0].dtype == np.float32
        assert 0 <= drawn[0].min() < drawn[0].max() <= 1
        assert np.array_equal(*drawn)
