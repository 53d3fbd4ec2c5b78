"""Layer-by-layer distillation of the style transformer."""

import numpy as np
from keras import ops
from training_samples import styles_of, tiny

from nst_video.training.layer_distillation import layerwise_loss, trace


class TestLayerDistillation:
    def test_the_traced_layers_paint_what_the_network_paints(self):
        network = tiny(0)
        rng = np.random.default_rng(0)
        content = rng.random((2, 16, 24, 3), np.float32)
        style = styles_of(network, rng.standard_normal((2, 5)).astype(np.float32))
        traced = ops.sigmoid(trace(network, content, style)["expand3"].output)
        assert np.allclose(traced, network(content, style), atol=1e-6)

    def test_a_network_does_its_own_layers_without_error(self):
        teacher, other = tiny(0), tiny(1)
        rng = np.random.default_rng(0)
        content = rng.random((1, 16, 16, 3), np.float32)
        bottleneck = rng.standard_normal((1, 5)).astype(np.float32)
        style = styles_of(teacher, bottleneck)
        traces = trace(teacher, content, style)
        assert float(layerwise_loss(teacher, traces, style)) < 1e-9
        assert float(layerwise_loss(other, traces, styles_of(other, bottleneck))) > 0.1
