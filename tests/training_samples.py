"""Small networks and pictures that the tests of the training share."""

from dataclasses import replace

import keras
import numpy as np
from keras import ops

from nst_video.networks.transformer import StyleTransformer, TransformerConfig
from nst_video.training import dataset

TINY = TransformerConfig(widths=(2, 3, 4), residual_blocks=1, bottleneck=5)


def tiny(seed):
    keras.utils.set_random_seed(seed)
    return StyleTransformer(TINY)


def on_small_pictures(config):
    """Return a training configuration with one stage of each kind, on few, small pictures."""
    return replace(
        config,
        transformer_stages=tuple(
            replace(stage, batch=2, side=48) for stage in config.transformer_stages[::2]
        ),
        predictor_batch=2,
        loss_stages=tuple(replace(stage, batch=4, side=32) for stage in config.loss_stages[:2]),
    )


def pictures(count, seed=0, side=96):
    rng = np.random.default_rng(seed)
    return [dataset.procedural(side, rng) for _ in range(count)]


def styles_of(network, bottlenecks):
    return network.style_parameters(ops.convert_to_tensor(bottlenecks))


def vgg_path(assets):
    return assets / "models" / "vgg19" / "vgg19_normalised_conv1_1-conv4_1.npz"
