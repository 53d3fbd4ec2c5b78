"""Training configurations, with the one that the packaged networks were trained with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nst_video.validation import COUNT


@dataclass(frozen=True, slots=True)
class TransformerStage:
    """One stage of the style transformer's distillation; each starts with a new optimizer state.

    Attributes:
        name: in the log and in file names.
        steps: number of optimizer steps.
        batch: contents per step; where a temporal loss is used, pairs of views.
        side: of the square crops, in pixels.
        learning_rate: Adam's, see `loop.learning_rate_at`.
        layer_weight: of the error of each layer, given the teacher's input to it.
        pixel_weight: of the L1 distance to the teacher's painting.
        gradient_weight: of the L1 distance of their horizontal and vertical gradients.
        perceptual_weight: of the relative distance of VGG-19 features and their Gram matrices.
        perceptual_batch: paintings per step for the perceptual loss, which costs most.
        noise_weight: of the temporal loss on a static scene with new camera noise and exposure.
        shift_weight: of the temporal loss on two clean views of a scene, one of them shifted. Half
            of the steps use static scenes, half shifted ones.
        max_flicker_ratio: temporal error, relative to the teacher's, up to which that loss is 0;
            steadier paintings would be less similar to the teacher's.
        per_scene: apply that limit to each scene, rather than to the mean over the batch.
    """

    name: str
    steps: int
    batch: int
    side: int
    learning_rate: float
    layer_weight: float = 0.0
    pixel_weight: float = 0.0
    gradient_weight: float = 0.0
    perceptual_weight: float = 0.0
    perceptual_batch: int = 1
    noise_weight: float = 0.0
    shift_weight: float = 0.0
    max_flicker_ratio: float = 0.5
    per_scene: bool = False

    @property
    def is_temporal(self) -> bool:
        """Whether it has a temporal loss, and so is trained on pairs of views."""
        return self.noise_weight > 0 or self.shift_weight > 0


@dataclass(frozen=True, slots=True)
class FinetuneStage:
    """One stage of the style transformer's training without a teacher, see `finetune`.

    Attributes:
        name: in the log and in file names.
        steps: number of optimizer steps.
        batch: pairs of views per step, each pair in a style of its own.
        side: of the square crops, in pixels.
        learning_rate: Adam's, see `loop.learning_rate_at`.
        weights: of the terms of the loss, by the names of `finetune.Terms`.
    """

    name: str
    steps: int
    batch: int
    side: int
    learning_rate: float
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FinetuneConfig:
    """Configuration of a fine-tuning.

    Attributes:
        stages: in order.
        styles: number of styles that are measured before.
    """

    stages: tuple[FinetuneStage, ...]
    styles: int = 600


@dataclass(frozen=True, slots=True)
class LossStage:
    """One stage of the loss network's distillation.

    Attributes:
        name: in the log and in file names.
        steps: number of optimizer steps.
        learning_rate: Adam's, see `loop.learning_rate_at`.
        gram_weight: of the errors of Gram matrices, relative to those of the features.
        batch: pictures per step.
        side: of the square pictures, in pixels.
        trajectories: number of pictures that Gatys' method optimizes during the training, see
            `optimization_trajectories`; half of a batch is taken from them.
        layerwise: train each layer separately, given VGG-19's input to it.
    """

    name: str
    steps: int
    learning_rate: float
    gram_weight: float
    batch: int = 4
    side: int = 96
    trajectories: int = 0
    layerwise: bool = False


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Configuration of the training of all networks.

    Attributes:
        transformer_stages: of the style transformer, in order.
        style_samples: size of the style dataset, 200 kB of disk each.
        predictor_steps: number of optimizer steps of the style predictor.
        predictor_batch: pictures per step.
        predictor_learning_rate: Adam's, see `loop.learning_rate_at`.
        loss_stages: of the loss network, in order.
    """

    transformer_stages: tuple[TransformerStage, ...]
    style_samples: int = 24000
    predictor_steps: int = 12000
    predictor_batch: int = 16
    predictor_learning_rate: float = 1e-3
    loss_stages: tuple[LossStage, ...] = (
        LossStage(
            "layers", steps=2500, learning_rate=3e-3, gram_weight=0.0, batch=8, layerwise=True
        ),
        LossStage(
            "trajectories",
            steps=6500,
            learning_rate=1e-3,
            gram_weight=1.0,
            batch=8,
            trajectories=4,
        ),
        LossStage(
            "large",
            steps=1500,
            learning_rate=4e-4,
            gram_weight=2.0,
            batch=8,
            side=128,
            trajectories=4,
        ),
    )


BUILTIN = TrainingConfig(
    transformer_stages=(
        TransformerStage(
            "layers", steps=10000, batch=4, side=96, learning_rate=5e-3, layer_weight=1.0
        ),
        TransformerStage(
            "temporal",
            steps=4000,
            batch=4,
            side=128,
            learning_rate=5e-4,
            pixel_weight=1.0,
            gradient_weight=0.5,
            perceptual_weight=0.2,
            noise_weight=0.3,
            shift_weight=0.3,
            max_flicker_ratio=0.54,
        ),
        TransformerStage(
            "temporal-per-scene",
            steps=1500,
            batch=4,
            side=128,
            learning_rate=2e-4,
            pixel_weight=1.0,
            gradient_weight=0.5,
            perceptual_weight=0.2,
            noise_weight=0.2,
            shift_weight=0.2,
            max_flicker_ratio=0.44,
            per_scene=True,
        ),
    )
)
"""How `builtin` was trained: about two hours on two CPU cores, half of it for the loss network."""


FINETUNE = FinetuneConfig(
    stages=(
        FinetuneStage(
            "steady",
            steps=900,
            batch=2,
            side=160,
            learning_rate=1e-3,
            weights={
                "style": 1.0,
                "distribution": 1.0,
                "content": 0.1,
                "texture": 0.1,
                "lattice": 0.5,
                "change": 1.0,
                "halo": 0.0,
            },
        ),
        FinetuneStage(
            "style",
            steps=900,
            batch=2,
            side=160,
            learning_rate=1e-3,
            weights={
                "style": 2.0,
                "distribution": 1.5,
                "content": 0.15,
                "texture": 0.15,
                "lattice": 1.0,
                "change": 0.4,
                "halo": 4.0,
            },
        ),
    )
)
"""What made the checkpoints in `tools/training/builtin-2`; its README says what they lack."""


def shortened(divisor: int) -> TrainingConfig:
    """Return `BUILTIN` with its steps and style samples divided by `divisor`, at least one each.

    Raises:
        UsageError: the divisor is less than 1.
    """
    COUNT.check("The divisor", divisor)

    def divide(count: int) -> int:
        return max(1, count // divisor)

    return replace(
        BUILTIN,
        transformer_stages=tuple(
            replace(stage, steps=divide(stage.steps)) for stage in BUILTIN.transformer_stages
        ),
        style_samples=divide(BUILTIN.style_samples),
        predictor_steps=divide(BUILTIN.predictor_steps),
        loss_stages=tuple(
            replace(stage, steps=divide(stage.steps)) for stage in BUILTIN.loss_stages
        ),
    )
