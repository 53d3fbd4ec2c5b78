"""The training loop: steps, learning rate, log, and resuming."""

import json

import keras
import numpy as np
import pytest
from keras import layers, ops

from nst_video.training.loop import WARM_UP_STEPS, Trainer, TrainingStage, learning_rate_at


class Line(keras.Model):
    """y = kernel x: the least that can learn."""

    def __init__(self):
        super().__init__()
        self.line = layers.Dense(1, use_bias=False, name="line", kernel_initializer="zeros")
        self.line.build((None, 1))
        self.built = True

    def call(self, x):
        return self.line(x)


def line_stage(network, steps, slope=3.0):
    def draw(rng):
        x = rng.standard_normal((8, 1)).astype(np.float32)
        return x, (slope * x).astype(np.float32)

    def loss(x, y):
        return ops.mean(ops.square(network(x) - y))

    def evaluate_line(mean):
        return {"slope": float(np.ravel(mean.line.kernel)[0])}

    return TrainingStage("line", steps, 0.05, draw, loss, evaluate_line)


class TestTrainer:
    def test_it_learns_and_logs(self, tmp_path):
        network, entries = Line(), []
        trainer = Trainer(network, Line(), tmp_path, seed=0)
        trainer.run(line_stage(network, 600), entries.append)
        assert [entry["step"] for entry in entries] == [250, 500, 600]
        assert np.ravel(network.line.kernel)[0] == pytest.approx(3, abs=0.05)
        logged = (tmp_path / "log.jsonl").read_text().splitlines()
        assert [json.loads(line)["slope"] for line in logged] == [e["slope"] for e in entries]

    def test_a_stopped_run_goes_on_as_if_it_had_not_been(self, tmp_path):
        class Stopped(Exception):  # noqa: N818 - not an error
            pass

        def stop(entry):
            raise Stopped

        kernels = []
        for name, stops in (("whole", False), ("stopped", True)):
            if stops:
                first = Line()
                with pytest.raises(Stopped):
                    Trainer(first, Line(), tmp_path / name, 0).run(line_stage(first, 300), stop)
            network, average = Line(), Line()
            Trainer(network, average, tmp_path / name, 0).run(line_stage(network, 300), len)
            kernels.append((np.ravel(network.line.kernel)[0], np.ravel(average.line.kernel)[0]))
        assert kernels[0] == pytest.approx(kernels[1], rel=1e-6)

    def test_a_finished_stage_only_gives_back_its_result(self, tmp_path):
        network, entries = Line(), []
        Trainer(network, Line(), tmp_path, 0).run(line_stage(network, 120), len)
        again, average = Line(), Line()
        Trainer(again, average, tmp_path, 0).run(line_stage(again, 120), entries.append)
        assert entries == []
        assert np.ravel(again.line.kernel)[0] == np.ravel(network.line.kernel)[0] != 0

    def test_a_step_that_is_not_finite_changes_nothing(self, tmp_path):
        network, average = Line(), Line()
        stage = line_stage(network, 3, slope=np.nan)
        Trainer(network, average, tmp_path, 0).run(stage, len)
        assert np.ravel(network.line.kernel)[0] == np.ravel(average.line.kernel)[0] == 0

    def test_the_rate_rises_and_then_falls(self):
        stage = line_stage(Line(), 1000)
        rates = [learning_rate_at(stage, step) for step in range(1000)]
        assert np.argmax(rates) == pytest.approx(WARM_UP_STEPS, abs=2)
        assert rates[0] < 0.05 * max(rates)
        assert rates[-1] < 0.03 * max(rates)
