"""Painting by optimization: settings, colors, regions, and that it does what it says."""

from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest

from nst_video.errors import UsageError
from nst_video.image import color
from nst_video.image.files import load_picture
from nst_video.networks.vgg import SHAPES, LossNetwork, load_loss_network
from nst_video.optimization import pyramid, size_limit
from nst_video.optimization.gatys import GatysOptimizer
from nst_video.optimization.image import optimize_image
from nst_video.optimization.optimizers import PATIENCE, Convergence
from nst_video.optimization.painting import StylePicture, TemporalTarget, to_unit
from nst_video.optimization.settings import PRESETS, PaintSettings, find_preset

QUICK = PaintSettings(steps=6, scales=1)
SIZE = (64, 48)


def picture(seed, size=SIZE):
    """A blurred, colorful picture."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 8, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def stripes(size=SIZE):
    """Black and yellow stripes, a style like no other."""
    frame = np.zeros((size[1], size[0], 3), np.uint8)
    frame[:, (np.arange(size[0]) // 3) % 2 == 0, :2] = 255
    return frame


CONTENT, STYLE = picture(0), StylePicture(stripes())


@pytest.fixture(scope="module")
def network():
    return LossNetwork.random("builtin")


@pytest.fixture(scope="module")
def quick(network):
    return GatysOptimizer(network, [STYLE], QUICK)


@pytest.fixture
def vgg(assets):
    path = assets / "models" / "vgg19" / "vgg19_normalised_conv1_1-conv4_1.npz"
    return load_loss_network("vgg19", path)


class TestSettings:
    def test_the_classic_preset_is_the_textbooks(self):
        classic = find_preset("classic")
        assert classic.content_layers == (("block5_conv2", 1.0),)
        assert [layer for layer, _ in classic.style_layers] == [
            f"block{block}_conv1" for block in range(1, 6)
        ]
        assert (classic.content_weight, classic.style_weight) == (1e4, 1e-2)
        assert (classic.optimizer, classic.start) == ("adam", "content")
        assert classic.for_network(SHAPES["vgg19"].layers, "vgg19") == classic

    def test_classic_is_refused_where_the_network_has_no_block5(self):
        with pytest.raises(UsageError, match=r"builtin.*'block5_conv2'.*block4_conv1"):
            find_preset("classic").for_network(SHAPES["builtin"].layers, "builtin")

    @pytest.mark.parametrize("name", [name for name in PRESETS if name != "classic"])
    def test_other_presets_take_the_layers_there_are(self, name):
        small = PRESETS[name].for_network(SHAPES["builtin"].layers, "builtin")
        large = PRESETS[name].for_network(SHAPES["vgg19"].layers, "vgg19")
        assert small.content_layers == (("block4_conv1", 1.0),)
        assert large.content_layers == (("block4_conv2", 1.0),)
        assert len(small.style_layers) == 4
        assert len(large.style_layers) == 5

    def test_settings_can_be_hashed_and_written_down(self):
        assert hash(QUICK) == hash(replace(QUICK))
        assert PaintSettings(**asdict(QUICK)) == QUICK

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"steps": 0}, "steps must be a whole number from 1 to"),
            ({"scales": 5}, "scales must be a whole number from 1 to 4, not 5"),
            ({"style_weight": -1.0}, "style_weight must be"),
            ({"learning_rate": float("nan")}, "rate must be"),
            ({"optimizer": "newton"}, "No optimizer 'newton'. Choose from: adam, lbfgs"),
            ({"start": "void"}, "No start 'void'"),
            ({"colors": "sepia"}, "No colors 'sepia'"),
            ({"style_layers": (("block1_conv1", -1.0),)}, "block1_conv1 must be"),
            ({"content_layers": (("block1_conv1", 0.0),)}, "content_layers are 0"),
        ],
    )
    def test_values_out_of_range_are_refused(self, change, said):
        with pytest.raises(UsageError, match=said):
            replace(QUICK, **change)

    def test_unknown_presets_are_refused_with_those_there_are(self):
        with pytest.raises(UsageError, match=r"'bold'.*classic, faithful, balanced, painterly"):
            find_preset("bold")


class TestColors:
    def test_covariance_matching_gives_mean_and_covariance(self):
        rng = np.random.default_rng(0)
        mixing = np.array([[0.08, 0.05, 0], [0, 0.06, 0.03], [0.02, 0, 0.04]])
        colors = np.clip(rng.standard_normal((40, 50, 3)) @ mixing + 0.5, 0, 1).astype(np.float32)
        matched = color.match_colors(to_unit(CONTENT), colors, "covariance")
        assert np.allclose(matched.mean(axis=(0, 1)), colors.mean(axis=(0, 1)), atol=2e-3)
        covariances = [np.cov(each.reshape(-1, 3).T) for each in (matched, colors)]
        assert np.allclose(*covariances, atol=3e-4)

    def test_histogram_matching_gives_each_channels_distribution(self):
        wanted = to_unit(picture(3, (90, 70)))
        matched = color.match_colors(to_unit(CONTENT), wanted, "histogram")
        for level in (0.05, 0.25, 0.5, 0.75, 0.95):
            got = np.quantile(matched, level, axis=(0, 1))
            assert np.allclose(got, np.quantile(wanted, level, axis=(0, 1)), atol=0.02)

    def test_histogram_matching_keeps_the_order_of_values(self):
        ramp = np.repeat(np.linspace(0, 1, 30, dtype=np.float32)[None, :, None], 3, axis=2)
        matched = color.match_colors(ramp, to_unit(CONTENT), "histogram")
        assert (np.diff(matched[0], axis=0) >= 0).all()

    def test_keep_colors_serves_floats_like_bytes(self):
        painted = picture(5)
        exact = color.keep_colors(to_unit(painted), to_unit(CONTENT))
        assert np.abs(exact * 255 - color.keep_colors(painted, CONTENT)).max() < 3

    def test_luminance_painting_ends_in_the_contents_chrominance(self, network):
        settings = replace(QUICK, colors="luminance")
        painting = GatysOptimizer(network, [STYLE], settings)(CONTENT)
        chroma = [
            cv2.cvtColor(each, cv2.COLOR_RGB2YCrCb)[..., 1:].astype(int)
            for each in (painting.frame, CONTENT)
        ]
        inside = (painting.picture > 0.02).all(axis=-1) & (painting.picture < 0.98).all(axis=-1)
        assert inside.mean() > 0.3
        assert np.abs(chroma[0] - chroma[1])[inside].max() <= 3


class TestScales:
    def test_each_scale_is_twice_the_last_and_none_is_tiny(self):
        assert pyramid.scale_sizes((400, 300), 3) == ((100, 75), (200, 150), (400, 300))
        assert pyramid.scale_sizes((100, 80), 4) == ((100, 80),)

    def test_the_change_made_at_a_coarse_scale_is_carried_over(self):
        start = to_unit(picture(1))
        coarse = pyramid.resize_picture(start, (32, 24))
        brighter = np.clip(coarse + 0.1, 0, 1)
        carried = pyramid.add_upsampled_change(brighter, coarse, start)
        inside = (start > 0.05) & (start < 0.85)
        assert np.allclose((carried - start)[inside], 0.1, atol=0.06)
        assert np.array_equal(pyramid.add_upsampled_change(coarse, coarse, start), start)


class TestOptimizer:
    @pytest.mark.parametrize("name", ["adam", "lbfgs"])
    def test_every_optimizer_lowers_the_loss_within_bounds(self, network, name):
        settings = replace(QUICK, optimizer=name, steps=12)
        painting = GatysOptimizer(network, [STYLE], settings)(CONTENT)
        totals = [step.losses["total"] for step in painting.history]
        assert totals[-1] < 0.6 * totals[0]
        assert painting.picture.dtype == np.float32
        assert painting.picture.min() >= 0
        assert painting.picture.max() <= 1
        assert painting.frame.shape == CONTENT.shape

    def test_the_same_twice_gives_the_same_picture(self, network):
        settings = replace(QUICK, start="noise", scales=2)
        pair = [
            GatysOptimizer(network, [STYLE], settings)(picture(0, (96, 80))).picture
            for _ in range(2)
        ]
        assert np.array_equal(*pair)
        other = GatysOptimizer(network, [STYLE], replace(settings, seed=1))
        assert not np.array_equal(other(picture(0, (96, 80))).picture, pair[0])

    def test_losses_add_up_and_steps_are_told(self, quick):
        told = []
        painting = quick(CONTENT, on_step=told.append)
        assert told == list(painting.history)
        assert [step.step for step in told] == [1, 2, 3, 4, 5, 6]
        for step in told:
            parts = {name: value for name, value in step.losses.items() if name != "total"}
            assert set(parts) == {"content", "style", "tv", "temporal"}
            assert step.losses["total"] == pytest.approx(sum(parts.values()), rel=1e-5)
        assert told[0].losses["content"] == 0

    def test_unfinished_pictures_can_be_looked_at(self, quick):
        seen = []
        painting = quick(CONTENT, on_picture=lambda step, get_picture: seen.append(get_picture()))
        assert len(seen) == len(painting.history)
        assert np.array_equal(seen[-1], painting.frame)
        assert not np.array_equal(seen[0], seen[-1])

    def test_it_is_compiled_once_for_each_size_and_styles_are_looked_at_once(self, quick):
        quick(CONTENT)
        step, regions = quick._optimizer._step, quick._regions[SIZE]
        before = step.experimental_get_tracing_count()
        target = TemporalTarget(to_unit(picture(4)), np.ones(SIZE[::-1], np.float32))
        for targets in ((), (target,), (target, target)):
            quick(picture(7), targets=targets, steps=2)
        assert step.experimental_get_tracing_count() == before
        assert quick._regions[SIZE] is regions

    def test_starts_differ_as_the_settings_say(self, network):
        first = {}
        for start in ("content", "noise", "style", "previous"):
            optimizer = GatysOptimizer(network, [STYLE], replace(QUICK, start=start, steps=1))
            first[start] = optimizer(CONTENT).history[0].losses
        assert first["content"] == first["previous"]
        assert first["content"]["content"] == 0
        assert first["style"]["style"] < 1e-3
        assert first["noise"]["content"] > 0.003

    def test_a_given_start_is_where_it_starts(self, quick):
        start = to_unit(stripes())
        assert quick(CONTENT, start=start, steps=1).history[0].losses["style"] < 1e-3

    def test_targets_hold_the_picture_where_they_are_reliable(self, network):
        settings = replace(QUICK, temporal_weight=1000.0, steps=30)
        optimizer = GatysOptimizer(network, [STYLE], settings)
        earlier = to_unit(picture(2))
        reliability = np.zeros(SIZE[::-1], np.float32)
        reliability[:, :32] = 1
        painted = optimizer(
            CONTENT, start=earlier, targets=[TemporalTarget(earlier, reliability)]
        ).picture
        change = np.abs(painted - earlier).mean(axis=(0, 2))
        assert change[:28].mean() < 0.3 * change[36:].mean()

    def test_several_targets_cost_what_they_cost_one_by_one(self, quick):
        rng = np.random.default_rng(0)
        targets = [
            TemporalTarget(
                to_unit(picture(seed)), rng.random(SIZE[::-1], np.float32), weight=1.0 + seed
            )
            for seed in (1, 2)
        ]
        (step,) = quick(CONTENT, targets=targets, steps=1).history
        expected = sum(
            each.weight
            * np.mean(each.reliability[..., None] * (to_unit(CONTENT) - each.picture) ** 2)
            for each in targets
        )
        wanted = QUICK.temporal_weight * expected
        assert step.losses["temporal"] == pytest.approx(wanted, rel=1e-3)

    def test_a_relative_loss_hardly_depends_on_the_size(self, network):
        optimizer = GatysOptimizer(network, [STYLE], QUICK)
        small, large = (
            optimizer(picture(0, size), steps=1).history[0].losses["style"]
            for size in ((64, 48), (256, 192))
        )
        assert 0.5 < small / large < 2

    def test_style_scale_makes_strokes_coarser(self, network):
        fine, coarse = (
            GatysOptimizer(network, [STYLE], replace(QUICK, style_scale=scale, start="style"))
            for scale in (1.0, 2.0)
        )
        assert fine(CONTENT, steps=1).history[0].losses["style"] < 1e-3
        assert coarse(CONTENT, steps=1).history[0].losses["style"] > 0.01

    def test_it_stops_where_nothing_is_gained_any_more(self, network):
        settings = replace(QUICK, steps=400, tolerance=0.5, learning_rate=0.1)
        history = GatysOptimizer(network, [STYLE], settings)(CONTENT).history
        assert PATIENCE < len(history) < 400
        flat = Convergence(0.01)
        assert [flat.reached(1.0) for _ in range(PATIENCE + 1)] == [False] * PATIENCE + [True]
        falling = Convergence(0.01)
        assert not any(falling.reached(0.9**step) for step in range(100))

    def test_pictures_that_do_not_fit_are_refused(self, quick):
        with pytest.raises(UsageError, match="at least 32 pixels a side, not 40x20"):
            quick(np.zeros((20, 40, 3), np.uint8))
        with pytest.raises(UsageError, match=r"\(48, 64, 3\), not \(24, 32, 3\)"):
            quick(CONTENT, start=np.zeros((24, 32, 3), np.float32))


class TestRegions:
    def test_a_mask_keeps_its_style_to_its_side(self, network):
        mask = np.zeros(SIZE[::-1], np.float32)
        mask[:, :32] = 1
        yellow = StylePicture(stripes(), mask=mask)
        blue = StylePicture(np.ascontiguousarray(stripes()[..., ::-1]))
        settings = replace(QUICK, steps=60, content_weight=0.0)
        painted = GatysOptimizer(network, [yellow, blue], settings)(CONTENT).picture
        left, right = painted[:, :26].mean(axis=(0, 1)), painted[:, 38:].mean(axis=(0, 1))
        assert left[0] - left[2] > 0.1
        assert right[2] - right[0] > 0.1

    def test_a_mask_is_found_in_each_picture(self, network):
        class Right:
            key = "right half"

            def __call__(self, content):
                found.append(content.shape)
                return (np.arange(SIZE[0]) >= 32)[None].repeat(SIZE[1], 0).astype(np.float32)

        found = []
        blue = StylePicture(np.ascontiguousarray(stripes()[..., ::-1]), mask=Right())
        settings = replace(QUICK, steps=60, content_weight=0.0)
        painted = GatysOptimizer(network, [StylePicture(stripes()), blue], settings)(CONTENT)
        left, right = (painted.picture[:, here].mean(axis=(0, 1)) for here in np.s_[:26, 38:])
        assert left[0] - left[2] > 0.1
        assert right[2] - right[0] > 0.1
        assert found == [CONTENT.shape]

    def test_weights_mix_styles(self, network):
        blue = np.ascontiguousarray(stripes()[..., ::-1])
        start = to_unit(stripes())
        style_losses = [
            GatysOptimizer(
                network, [StylePicture(stripes(), share), StylePicture(blue, 1 - share)], QUICK
            )(CONTENT, start=start, steps=1)
            .history[0]
            .losses["style"]
            for share in (0.9, 0.5, 0.1)
        ]
        assert style_losses == sorted(style_losses)
        assert style_losses[2] > 3 * style_losses[0]

    @pytest.mark.parametrize(
        ("styles", "said"),
        [
            ([], "at least one style"),
            ([StylePicture(stripes(), weight=0.0)], "above 0, not 0"),
            ([StylePicture(stripes(), mask=np.zeros((4, 4), np.float32))], "mask is empty"),
            ([StylePicture(stripes(), mask=np.full((4, 4), 2, np.float32))], "0..1"),
            (
                [StylePicture(stripes(), mask=np.ones((4, 4), np.float32)), STYLE],
                "leave nothing",
            ),
        ],
    )
    def test_styles_without_sense_are_refused(self, network, styles, said):
        with pytest.raises(UsageError, match=said):
            GatysOptimizer(network, styles, QUICK)


class TestImage:
    def test_a_smaller_working_size_comes_back_to_full_size(self, network):
        content = picture(0, (160, 120))
        painting = optimize_image(content, GatysOptimizer(network, [STYLE], QUICK), work_size=60)
        assert painting.frame.shape == content.shape
        assert np.abs(painting.frame.astype(int) - content).mean() > 5

    def test_little_memory_limits_the_size_and_says_so(self, network):
        notes = []
        content = picture(0, (160, 120))
        layers = ("block4_conv1",)
        budget = size_limit.painting_bytes(network, layers, (80, 60))
        painting = optimize_image(
            content,
            GatysOptimizer(network, [STYLE], QUICK),
            memory_bytes=budget,
            on_note=notes.append,
        )
        assert painting.frame.shape == content.shape
        assert len(notes) == 1
        assert "80x60 instead of 160x120" in notes[0]

    def test_the_estimate_of_memory_grows_with_the_picture(self, network):
        layers = ("block4_conv1",)
        small, large = (
            size_limit.painting_bytes(network, layers, size) for size in ((64, 64), (128, 128))
        )
        assert large == 4 * small
        assert size_limit.fit_to_memory(network, layers, (128, 128), small) == (64, 64)
        assert size_limit.available_bytes() > 1 << 20

    def test_real_features_turn_a_photo_into_a_painting(self, vgg, assets):
        photo, art = (
            cv2.resize(load_picture(assets / path), (96, 72), interpolation=cv2.INTER_AREA)
            for path in ("photos/golden_gate.jpg", "paintings/starry-night.jpg")
        )
        settings = PaintSettings(scales=1, steps=25)
        painting = optimize_image(photo, GatysOptimizer(vgg, [StylePicture(art)], settings))
        style = [step.losses["style"] for step in painting.history]
        assert style[-1] < style[0] / 15
        gray = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).ravel() for each in (photo, painting.frame)]
        assert np.corrcoef(*gray)[0, 1] > 0.4
