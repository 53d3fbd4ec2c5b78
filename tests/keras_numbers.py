"""Numbers that Keras computes for this package, in this process or, as a script, in another.

python keras_numbers.py FOLDER   # with the settings of a file, then with others set in the process
"""

import nst_video  # noqa: F401 - before Keras, whose backend it chooses

# isort: split
import sys
from pathlib import Path

import keras
import numpy as np

from nst_video.engines.tensorflow import TensorFlowEngine
from nst_video.networks import checkpoints
from nst_video.networks.builtin import build_loss_trunk, build_style_predictor
from nst_video.networks.config import TransformerConfig
from nst_video.networks.fused.convolutions import fuse_transformer
from nst_video.networks.fused.keras_backend import paint
from nst_video.networks.inception import build_inception_predictor
from nst_video.networks.transformer import StyleTransformer
from nst_video.networks.vgg import LossNetwork

CONFIG = TransformerConfig((4, 8, 8), 1, bottleneck=5)


def compute():
    """Return results of all networks with random weights, by name."""
    rng = np.random.default_rng(0)
    pictures = rng.random((2, 96, 112, 3), np.float32)

    def random_weights(network):
        arrays = {
            key: (rng.standard_normal(shape) / np.sqrt(max(1, np.prod(shape[:-1])))).astype("f")
            for key, shape in checkpoints.network_shapes(network).items()
        }
        checkpoints.assign(network, arrays)
        return network, arrays

    results = {}
    for build in (build_style_predictor, build_loss_trunk, build_inception_predictor):
        network, _ = random_weights(build())
        made = network.predict_on_batch(pictures)
        for name, array in made.items() if isinstance(made, dict) else [("", made)]:
            results[build.__name__ + name] = array
    transformer, arrays = random_weights(StyleTransformer(CONFIG))
    style = transformer.style_parameters(rng.random((1, 5), np.float32))
    results["reference"] = transformer(pictures, style)
    results["rewritten"] = paint(CONFIG, fuse_transformer(CONFIG, arrays), pictures, style)
    for pooling in ("average", "max"):
        loss = LossNetwork.random("builtin", pooling)
        results["loss " + pooling] = loss(pictures, ["block3_conv1"])["block3_conv1"]
    engine = TensorFlowEngine(CONFIG, arrays)
    results["engine"] = engine((pictures * 255).astype(np.uint8), np.asarray(style))
    return {key: np.asarray(value) for key, value in results.items()}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    np.savez(folder / "file.npz", **compute())
    keras.config.set_image_data_format("channels_first")
    keras.config.set_dtype_policy("mixed_float16")
    keras.config.set_floatx("float16")
    keras.config.set_epsilon(0.1)
    np.savez(folder / "process.npz", **compute())
