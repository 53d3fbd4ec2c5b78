"""Loss networks: VGG-16 and VGG-19 (Simonyan & Zisserman, arXiv 1409.1556), and `builtin`.

All are blocks of 3x3 convolutions; each block halves the resolution. They differ in width, depth
and the format of the pixels.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import get_args

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from nst_video import weights
from nst_video.errors import UsageError, WeightsError
from nst_video.networks.builtin import LOSS_BLOCKS, VIEW, center_pixels, layer_names
from nst_video.networks.checkpoints import Arrays, collect, load_npz
from nst_video.networks.config import DEFAULT_NETWORK, DEFAULT_POOLING, LAYOUT, Pooling
from nst_video.networks.transformer import Tensor

MEAN_RGB = (123.68, 116.779, 103.939)
"""BGR mean of the pixels, 0..255, that VGG was trained to expect subtracted."""

MARGIN = 16
"""Pixels by which `LossNetwork.continued` mirrors a picture: a block5 layer still gains one row."""

_KERNEL = 3
_SEED = 0


@dataclass(frozen=True, slots=True)
class LossShape:
    """The architecture of a loss network.

    Attributes:
        blocks: channels and number of convolutions of each block.
        is_vgg: takes BGR around a mean, 0..255, rather than RGB in -2..2.
    """

    blocks: tuple[tuple[int, int], ...]
    is_vgg: bool = True

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of all convolutions, "block1_conv1" first."""
        return layer_names(self.blocks)

    def kernel_shapes(self) -> Mapping[str, tuple[int, int, int, int]]:
        """Return the shape of every convolution's kernel, HWIO."""
        shapes = {}
        inputs = 3
        for layer in self.layers:
            width = self.blocks[halvings(layer)][0]
            shapes[layer] = (_KERNEL, _KERNEL, inputs, width)
            inputs = width
        return shapes

    def array_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every array of a weight file."""
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, kernel in self.kernel_shapes().items():
            width = kernel[-1]
            shapes[f"{layer}.kernel"], shapes[f"{layer}.bias"] = kernel, (width,)
            shapes[f"{layer}{VIEW}.kernel"] = (1, 1, width, width)
        return shapes


SHAPES: Mapping[str, LossShape] = MappingProxyType(
    {
        "builtin": LossShape(LOSS_BLOCKS, is_vgg=False),
        "vgg16": LossShape(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))),
        "vgg19": LossShape(((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))),
    }
)
"""Every loss network by name."""


class LossNetwork:
    """A function from pictures to the rectified features of chosen layers.

    Attributes:
        name: as in `SHAPES`.
        layers: names of its layers, in order.
        is_random: whether its weights are random.
    """

    def __init__(
        self,
        name: str,
        arrays: Arrays,
        pooling: Pooling = DEFAULT_POOLING,
        *,
        dtype: str = "float32",
        is_random: bool = False,
    ) -> None:
        """Take the weights "block1_conv1.kernel" (HWIO), ".bias" and so on; the last may be absent.

        What a layer shows goes through "block1_conv1_view.kernel", where there is one.

        Raises:
            UsageError: an unknown name or pooling.
            WeightsError: an array of another shape, or not one layer.
        """
        self._shape = find_shape(name)
        if pooling not in get_args(Pooling):
            raise UsageError(
                f"No pooling {pooling!r}. Choose from: {', '.join(get_args(Pooling))}."
            )
        self.name = name
        self.is_random = is_random
        self._pooling = pooling
        self._arrays = dict(arrays)
        self.layers = _checked_layers(name, self._shape, arrays)
        self._dtype = dtype
        self._tensors = {k: ops.cast(array, dtype) for k, array in arrays.items()}

    @classmethod
    def random(cls, name: str, pooling: Pooling = DEFAULT_POOLING) -> "LossNetwork":
        """Return a network of that shape with random, orthogonal filters, always the same.

        They serve for textures (Ustyuzhaninov et al., arXiv 1606.00021), less for content (He et
        al., arXiv 1606.04801).
        """
        return cls(name, _random_arrays(find_shape(name)), pooling, is_random=True)

    @cached_property
    def key(self) -> str:
        """The network, its pooling and its exact weights, for fingerprints."""
        digest = hashlib.sha256()
        for name in sorted(self._arrays):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(self._arrays[name]).tobytes())
        return f"{self.name}-{self._pooling}-{digest.hexdigest()[:16]}"

    def channels(self, layer: str) -> int:
        """Return how many channels a layer has."""
        return int(self._arrays[f"{layer}.bias"].shape[0])

    def __call__(self, pictures: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """Return features (n, h / 2^k, w / 2^k, c) by layer; nothing is computed beyond the last.

        Args:
            pictures: RGB (n, h, w, 3), 0..1.
            layers: some of `layers`.

        Raises:
            UsageError: the network lacks one of them.
        """
        self.require(layers)
        wanted = set(layers)
        features: dict[str, Tensor] = {}
        x = ops.cast(self._prepare(pictures), self._dtype)
        for layer in self.layers:
            if len(features) == len(wanted):
                break
            if layer.endswith("_conv1") and layer != self.layers[0]:
                x = self._pool(x)
            x = ops.conv(x, self._tensors[f"{layer}.kernel"], padding="same", data_format=LAYOUT)
            x = ops.relu(x + self._tensors[f"{layer}.bias"])
            if layer in wanted:
                features[layer] = ops.cast(self._show(layer, x), "float32")
        return features

    def continued(self, pictures: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """Return features as a call does, of pictures that go on beyond their edges, mirrored.

        With zero padding, an optimizer paints white and black blocks along the edges.

        Args:
            pictures: RGB (n, h, w, 3), 0..1, both sides longer than `MARGIN`.
            layers: some of `layers`.

        Raises:
            UsageError: the network lacks one of them.
        """
        height, width = ops.shape(pictures)[1:3]
        sides = (MARGIN, MARGIN)
        mirrored = ops.pad(pictures, ((0, 0), sides, sides, (0, 0)), mode="reflect")
        return {
            layer: _middle(features, height >> halvings(layer), width >> halvings(layer))
            for layer, features in self(mirrored, layers).items()
        }

    def require(self, layers: Collection[str]) -> None:
        """Raise UsageError, listing the network's layers, unless it has all of `layers`."""
        for layer in layers:
            if layer not in self.layers:
                raise UsageError(
                    f"The loss network {self.name} has no layer {layer!r}. "
                    f"It has: {', '.join(self.layers)}."
                )

    def _prepare(self, pictures: Tensor) -> Tensor:
        if self._shape.is_vgg:
            return (pictures * 255 - np.asarray(MEAN_RGB, np.float32))[..., ::-1]
        return center_pixels(pictures)

    def _show(self, layer: str, x: Tensor) -> Tensor:
        view = self._tensors.get(f"{layer}{VIEW}.kernel")
        return x if view is None else ops.conv(x, view, data_format=LAYOUT)

    def _pool(self, x: Tensor) -> Tensor:
        pool = ops.average_pool if self._pooling == "average" else ops.max_pool
        return pool(x, 2, 2, data_format=LAYOUT)


def load_loss_network(
    name: str = DEFAULT_NETWORK,
    file: Path | None = None,
    *,
    pooling: Pooling = DEFAULT_POOLING,
    dtype: str = "float32",
    models_dir: Path | None = None,
    offline: bool = False,
    on_fetch: weights.OnProgress | None = None,
) -> LossNetwork:
    """Return a loss network with its weights.

    Where the package carries no trained `builtin`, its filters are random, see `random`.

    Args:
        name: of `SHAPES`.
        file: its weights, `.npz` of ours, or `.h5` or `.weights.h5` of `keras.applications`; None
            for those of the package, the models folder or the cache, else they are downloaded.
        pooling: see `Pooling`.
        dtype: of the computation; features are always float32.
        models_dir: as for `weights.resolve`, as are `offline` and `on_fetch`.
        offline: never download.
        on_fetch: called while downloading.

    Raises:
        UsageError: an unknown name or pooling.
        WeightsError: the weights are missing, damaged, or of another network.
    """
    find_shape(name)
    if file is not None:
        return LossNetwork(name, _read(name, file), pooling, dtype=dtype)
    paths = weights.resolve(name, models_dir=models_dir, offline=offline, on_progress=on_fetch)
    if "loss" in paths:
        return LossNetwork(name, _read(name, paths["loss"]), pooling, dtype=dtype)
    return LossNetwork.random(name, pooling)


def halvings(layer: str) -> int:
    """Return how often the size of the picture is halved before a layer: once a block."""
    return int(layer.removeprefix("block").partition("_")[0]) - 1


def find_shape(name: str) -> LossShape:
    """Return the architecture of a loss network; UsageError, listing all, if it is unknown."""
    if name not in SHAPES:
        raise UsageError(f"No loss network {name!r}. Choose from: {', '.join(SHAPES)}.")
    return SHAPES[name]


def _middle(features: Tensor, height: int, width: int) -> Tensor:
    """Cut (n, height, width, c) out of the middle."""
    top, left = (
        (have - want) // 2
        for have, want in zip(ops.shape(features)[1:3], (height, width), strict=True)
    )
    return features[:, top : top + height, left : left + width]


def _read(name: str, path: Path) -> Arrays:
    """Read weights; the suffix of the file gives the format."""
    if path.suffix == ".npz":
        return load_npz(path, find_shape(name).array_shapes(), name, may_lack=True)
    if not path.is_file():
        raise WeightsError(f"No file {path} to read the weights of {name} from: check the path.")
    shape = find_shape(name)
    if not shape.is_vgg:
        raise WeightsError(f"The weights of {name} are an .npz file, not {path.name}.")
    network = _convolutions(shape)
    try:
        _refuse_larger(path, network)
        network.load_weights(path)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0].removesuffix(".")
        raise WeightsError(
            f"{path} does not hold the weights of {name} without its top ({reason})."
        ) from error
    arrays = collect(network)
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise WeightsError(f"The weights in {path} have numbers that are not finite.")
    return arrays


def _convolutions(shape: LossShape) -> keras.Model:
    """Return the layers that have weights, in order, as `keras.applications` builds them."""
    network = keras.Sequential([keras.Input((None, None, 3), dtype="float32")])
    for layer, kernel in shape.kernel_shapes().items():
        network.add(
            keras.layers.Conv2D(
                kernel[-1],
                _KERNEL,
                padding="same",
                data_format=LAYOUT,
                name=layer,
                dtype="float32",
            )
        )
    return network


def _refuse_larger(path: Path, network: keras.Model) -> None:
    """Check the headers of an HDF5 file before Keras allocates memory for its arrays.

    Raises:
        OSError: it is not an HDF5 file.
        ValueError: an array has a shape that the network does not have.
    """
    import h5py

    known = {tuple(variable.shape) for variable in network.weights}

    def check(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.shape not in known:
            raise ValueError(f"{name!r} has the shape {item.shape}")

    with h5py.File(path, "r") as file:
        file.visititems(check)


def _checked_layers(name: str, shape: LossShape, arrays: Arrays) -> tuple[str, ...]:
    """Return the layers that the weights are there for, from the first to the first gap."""
    layers = []
    for layer, expected in shape.kernel_shapes().items():
        kernel, bias = arrays.get(f"{layer}.kernel"), arrays.get(f"{layer}.bias")
        if kernel is None or bias is None:
            break
        if kernel.shape != expected or bias.shape != expected[-1:]:
            raise WeightsError(
                f"The weights have a kernel {kernel.shape} and a bias {bias.shape} for {layer}, "
                f"{name} needs {expected} and {expected[-1:]}: they are another network's."
            )
        layers.append(layer)
    if not layers:
        raise WeightsError(f"The weights lack 'block1_conv1.kernel', which {name} needs.")
    return tuple(layers)


def _random_arrays(shape: LossShape) -> dict[str, NDArray[np.float32]]:
    """Return orthogonal kernels (Saxe et al., arXiv 1312.6120) that keep the signal's size."""
    rng = np.random.default_rng(_SEED)
    arrays = {}
    for layer, (*window, inputs, width) in shape.kernel_shapes().items():
        rows = int(np.prod(window)) * inputs
        basis, _ = np.linalg.qr(rng.standard_normal((max(rows, width), min(rows, width))))
        kernel = (basis if rows >= width else basis.T) * np.sqrt(2)
        arrays[f"{layer}.kernel"] = kernel.reshape(*window, inputs, width).astype(np.float32)
        arrays[f"{layer}.bias"] = np.zeros(width, np.float32)
    return arrays
