"""Loss networks: their layers, their weights, and what is said where those are missing."""

import hashlib

import h5py
import keras
import numpy as np
import pytest
from keras import ops
from keras.src.legacy.saving import legacy_h5_format

from nst_video import weights
from nst_video.errors import HashMismatchError, ModelMissingError, UsageError, WeightsError
from nst_video.networks.vgg import SHAPES, LossNetwork, load_loss_network
from nst_video.training.state import save_weights


def noise(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def small_arrays(*layers, seed=0):
    """Random weights of builtin's first layers."""
    rng = np.random.default_rng(seed)
    shapes = SHAPES["builtin"].kernel_shapes()
    arrays = {}
    for layer in layers:
        arrays[f"{layer}.kernel"] = rng.standard_normal(shapes[layer], np.float32) / 5
        arrays[f"{layer}.bias"] = rng.standard_normal(shapes[layer][-1:], np.float32)
    return arrays


@pytest.fixture
def partial_path(assets):
    return assets / "models" / "vgg19" / "vgg19_normalised_conv1_1-conv4_1.npz"


@pytest.mark.parametrize(("name", "count"), [("vgg16", 13), ("vgg19", 16), ("builtin", 9)])
def test_layers_have_the_standard_names(name, count):
    layers = SHAPES[name].layers
    assert len(layers) == count
    assert layers[:3] == ("block1_conv1", "block1_conv2", "block2_conv1")


def save_as_published(path, network):
    """Write weights in the older layout of the public files."""
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_features_are_those_of_keras_applications(name, tmp_path):
    keras.utils.set_random_seed(1)
    build = {"vgg16": keras.applications.VGG16, "vgg19": keras.applications.VGG19}[name]
    reference = build(include_top=False, weights=None)
    path = tmp_path / (f"{name}_notop.h5" if name == "vgg16" else f"{name}.weights.h5")
    if name == "vgg16":
        save_as_published(path, reference)
    else:
        reference.save_weights(path)
    network = load_loss_network(name, path, pooling="max")
    assert network.layers == SHAPES[name].layers
    picture = noise(1, 32, 48, 3)
    layers = ("block1_conv2", "block3_conv3", "block5_conv1")
    prepared = keras.applications.vgg19.preprocess_input(picture * 255)
    expected = keras.Model(
        reference.input, {layer: reference.get_layer(layer).output for layer in layers}
    )(prepared)
    features = network(picture, layers)
    assert tuple(features) == layers
    for layer in layers:
        assert np.allclose(features[layer], expected[layer], rtol=1e-3, atol=1e-4)


def test_the_partial_vgg19_has_its_first_nine_layers(partial_path):
    network = load_loss_network("vgg19", partial_path)
    assert network.layers[-1] == "block4_conv1"
    assert len(network.layers) == 9
    feature = network(noise(1, 32, 48, 3), ["block4_conv1"])["block4_conv1"]
    assert feature.shape == (1, 4, 6, 512)
    assert float(ops.min(feature)) == 0


def test_average_pooling_is_the_default_and_differs_from_max(partial_path):
    picture = noise(1, 32, 32, 3)
    average, maximum, default = (
        np.asarray(
            load_loss_network("vgg19", partial_path, **choice)(picture, ["block2_conv1"])[
                "block2_conv1"
            ]
        )
        for choice in ({"pooling": "average"}, {"pooling": "max"}, {})
    )
    assert np.array_equal(average, default)
    assert not np.allclose(average, maximum, rtol=0.01)


def test_a_layer_the_network_lacks_is_named_with_those_it_has():
    network = load_loss_network("builtin")
    with pytest.raises(UsageError, match=r"'block5_conv2'.*block1_conv1.*block4_conv1"):
        network(noise(1, 32, 32, 3), ["block1_conv1", "block5_conv2"])


def test_nothing_is_computed_beyond_the_last_layer_asked_for():
    layers = ("block1_conv1", "block1_conv2")
    network = LossNetwork("builtin", small_arrays(*layers))
    network._tensors["block1_conv2.kernel"] = None  # would fail if it were used
    assert list(network(noise(1, 8, 8, 3), ["block1_conv1"])) == ["block1_conv1"]


def test_unknown_networks_and_poolings_are_refused():
    with pytest.raises(UsageError, match=r"vgg11.*builtin, vgg16, vgg19"):
        load_loss_network("vgg11")
    with pytest.raises(UsageError, match=r"median.*average, max"):
        load_loss_network("builtin", pooling="median")


def test_weights_of_another_network_are_refused(partial_path, tmp_path):
    with pytest.raises(WeightsError, match=r"block1_conv1\.kernel.*builtin needs"):
        load_loss_network("builtin", partial_path)
    odd = tmp_path / "odd.npz"
    save_weights(odd, {"something.kernel": np.zeros(3, np.float32)})
    with pytest.raises(WeightsError, match=r"something\.kernel.*unknown to vgg19"):
        load_loss_network("vgg19", odd)
    save_weights(odd, {"block1_conv1.bias": np.zeros(64, np.float32)})
    with pytest.raises(WeightsError, match="lack"):
        load_loss_network("vgg19", odd)
    (tmp_path / "broken.h5").write_bytes(b"not a weight file")
    with pytest.raises(WeightsError, match=r"broken\.h5"):
        load_loss_network("vgg19", tmp_path / "broken.h5")
    with pytest.raises(WeightsError, match="check the path"):
        load_loss_network("vgg16", tmp_path / "absent.h5")


def test_missing_weights_say_how_to_get_them():
    with pytest.raises(ModelMissingError, match="models fetch vgg19 --from DIR"):
        load_loss_network("vgg19", offline=True)


def test_a_folder_of_models_is_looked_through_and_md5_checked(tmp_path):
    (variant,) = weights.LOSS_NETWORKS["vgg16"].files[0].variants
    (tmp_path / variant.name).write_bytes(b"something else")
    with pytest.raises(HashMismatchError, match=f"MD5 {variant.md5}"):
        load_loss_network("vgg16", models_dir=tmp_path, offline=True)


def test_a_file_with_the_known_md5_and_size_is_accepted(tmp_path):
    data = b"weights"
    variant = weights.FileVariant("w.h5", len(data), None, "", hashlib.md5(data).hexdigest())
    table = {"net": weights.ModelFiles("net", "", "", (weights.ModelFile("loss", (variant,)),))}
    (tmp_path / "w.h5").write_bytes(data)
    found = weights.resolve("net", models_dir=tmp_path, offline=True, models=table)
    assert found == {"loss": tmp_path / "w.h5"}
    (file,) = weights.verify("net", models_dir=tmp_path, models=table)
    assert file.basis == "known MD5"
    (tmp_path / "w.h5").write_bytes(b"w8ights")
    with pytest.raises(HashMismatchError):
        weights.resolve("net", models_dir=tmp_path, offline=True, models=table)


def test_random_filters_are_orthogonal_and_always_the_same():
    arrays = [LossNetwork.random("builtin")._arrays for _ in range(2)]
    for key, array in arrays[0].items():
        assert np.array_equal(array, arrays[1][key])
    kernel = arrays[0]["block2_conv2.kernel"]
    flat = kernel.reshape(-1, kernel.shape[-1])
    assert np.allclose(flat.T @ flat, 2 * np.eye(flat.shape[1]), atol=1e-5)


def test_the_key_tells_weights_and_pooling_apart():
    layers = ("block1_conv1",)
    keys = {
        LossNetwork("builtin", small_arrays(*layers, seed=seed), pooling).key
        for seed in (0, 1)
        for pooling in ("average", "max")
    }
    assert len(keys) == 4
    assert LossNetwork("builtin", small_arrays(*layers)).key in keys


def test_a_continued_picture_is_seen_as_if_it_went_on_beyond_its_edges():
    network = load_loss_network("builtin")
    layers = ("block1_conv1", "block4_conv1")
    flat = np.full((1, 72, 88, 3), 0.8, np.float32)
    for layer in layers:
        seen, cut = network.continued(flat, layers)[layer], network(flat, layers)[layer]
        assert seen.shape == cut.shape
        assert np.std(seen, axis=(1, 2)).max() < 0.3 * np.std(cut, axis=(1, 2)).max()
    picture = np.random.default_rng(0).random((1, 128, 128, 3), np.float32)
    inner = (slice(None), slice(6, 10), slice(6, 10))  # farther from the edges than layers see
    seen, cut = (
        np.asarray(see(picture, layers)["block4_conv1"])[inner]
        for see in (network.continued, network)
    )
    assert np.allclose(seen, cut, atol=1e-3 * np.abs(cut).max())
