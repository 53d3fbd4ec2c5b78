"""What paintings do in flat areas and beside edges."""

import numpy as np
import pytest
from keras import ops

from nst_video.training import texture
from nst_video.training.halo import draw_halo_weights, halo


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def gray(values):
    return np.repeat(np.asarray(values, np.float32)[None, ..., None], 3, axis=-1)


def noise(rng, side=128):
    return gray(0.5 + 0.1 * rng.standard_normal((side, side)))


def lattice(side=128, period=4):
    rows, columns = np.mgrid[:side, :side]
    return gray(0.5 + 0.1 * np.sqrt(2) * np.cos(2 * np.pi * (rows + columns) / period))


def everywhere(picture):
    return np.ones_like(texture.flatness(picture))


def test_windows_are_flat_where_the_content_is(rng):
    content = noise(rng)
    content[:, :64] = np.linspace(0.4, 0.45, 64, dtype=np.float32)[:, None, None]
    flat = ops.convert_to_numpy(texture.flatness(content))[0]
    assert flat[:2].min() > 0.9
    assert flat[2:].max() < 0.01


def test_the_octaves_together_have_the_energy_of_noise(rng):
    energies = ops.convert_to_numpy(texture.flat_energies(noise(rng), everywhere(noise(rng))))[0]
    # White noise: each octave has three of four parts of what the finer ones leave.
    np.testing.assert_allclose(energies, 0.01 * 0.75 * 0.25 ** np.arange(4), rtol=0.2)


def test_a_styles_own_texture_is_not_its_edges(rng):
    picture = noise(rng)
    before = texture.typical_energies(picture)
    picture[:, :32] = 0
    picture[:, 16:20, 10:30] = 1
    np.testing.assert_allclose(texture.typical_energies(picture), before, rtol=0.15)


def test_a_lattice_stands_out_of_the_spectrum_and_noise_does_not(rng):
    of_noise, of_lattice = (
        texture.spectrum(picture, everywhere(picture)) for picture in (noise(rng), lattice())
    )
    assert float(of_lattice.total[0]) == pytest.approx(0.01, rel=0.1)
    assert float(of_noise.total[0]) == pytest.approx(0.01 * 0.75, rel=0.15)
    assert float(of_lattice.peaks[0] / of_lattice.total[0]) > 0.5
    assert float(of_noise.peaks[0] / of_noise.total[0]) < 0.05


class TestHalo:
    CONTENT = np.full((96, 96, 3), 0.3, np.float32)
    CONTENT[:, 48:] = 0.7

    def test_a_painting_without_a_rim_has_none_whatever_its_texture(self, rng):
        noise = rng.standard_normal((*self.CONTENT.shape[:2], 1)).astype("f")
        assert halo(self.CONTENT, 1 - self.CONTENT + 0.05 * noise) < 0.01

    def test_a_pale_rim_is_seen(self):
        painting = self.CONTENT.copy()
        painting[:, 38:48] += 0.2
        assert halo(self.CONTENT, painting) == pytest.approx(0.1, abs=0.02)

    def test_weights_of_places_measure_the_same(self, rng):
        painting = self.CONTENT.copy()
        painting[:, 38:48] += 0.2
        maps = draw_halo_weights(self.CONTENT[None], rng)
        steps = np.sum(maps[0] * (painting @ texture.LUMA)[..., None], axis=(0, 1))
        assert np.abs(steps) == pytest.approx((0, 0.2), abs=0.02)

    def test_it_is_unknown_without_edges(self):
        flat = np.full((96, 96, 3), 0.5, np.float32)
        assert np.isnan(halo(flat, flat))
