"""The settings with which the packaged networks were trained."""

from dataclasses import dataclass, replace

from nst_video.validation import COUNT


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of training with settings of its own, and Adam starting afresh.

    Attributes:
        name: for the log.
        steps: how many.
        batch: contents a step (pairs of views where steadiness counts: twice as many paintings).
        side: of the square crops, in pixels.
        rate: Adam's learning rate, reached within 100 steps and led to a fiftieth along a cosine.
        layers: weight of each layer's error given the teacher's input to it.
        picture: weight of the L1 difference to the teacher's painting.
        detail: weight of the L1 difference of their horizontal and vertical gradients.
        strokes: weight of the relative difference of VGG-19 features and their Gram matrices.
        strokes_batch: paintings a step on which `strokes` is taken: VGG-19 costs most.
        still: weight of what two paintings of a still scene, under fresh noise and other exposure,
            differ more than `flicker` times the teacher's.
        pan: the same of two clean views of a scene, one of them shifted. Half of the steps see
            still scenes, half shifted ones.
        flicker: of the teacher's temporal error, what the student may keep; likeness is worth more
            than steadiness beyond that.
        each: ask it of every scene, gentle styles included, rather than of the batch as a whole.
    """

    name: str
    steps: int
    batch: int
    side: int
    rate: float
    layers: float = 0.0
    picture: float = 0.0
    detail: float = 0.0
    strokes: float = 0.0
    strokes_batch: int = 1
    still: float = 0.0
    pan: float = 0.0
    flicker: float = 0.5
    each: bool = False

    @property
    def is_steady(self) -> bool:
        """Whether it learns from pairs of views."""
        return self.still > 0 or self.pan > 0


@dataclass(frozen=True, slots=True)
class LossStage:
    """A stretch of the loss network's training.

    Attributes:
        name: for the log.
        steps: how many.
        rate: Adam's learning rate, as in `Stage`.
        gram: weight of the errors of Gram matrices, to those of the features themselves.
        batch: pictures a step.
        side: of the square pictures, in pixels.
        strolling: pictures that Gatys' method is leading on meanwhile; half of a batch is
            theirs where there are any.
        layerwise: each layer learns by itself, given what VGG-19's layer before it makes.
    """

    name: str
    steps: int
    rate: float
    gram: float
    batch: int = 4
    side: int = 96
    strolling: int = 0
    layerwise: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the networks are trained.

    Attributes:
        stages: of the transformer, in order.
        pool: style pictures drawn beforehand, 200 kB of disk each.
        predictor_steps, predictor_batch, predictor_rate: of the predictor, as in `Stage`.
        lessons: of the loss network, in order.
    """

    stages: tuple[Stage, ...]
    pool: int = 24000
    predictor_steps: int = 12000
    predictor_batch: int = 16
    predictor_rate: float = 1e-3
    lessons: tuple[LossStage, ...] = (
        LossStage("layers", steps=2500, rate=3e-3, gram=0.0, batch=8, layerwise=True),
        LossStage("stroll", steps=6500, rate=1e-3, gram=1.0, batch=8, strolling=4),
        LossStage("larger", steps=1500, rate=4e-4, gram=2.0, batch=8, side=128, strolling=4),
    )


BUILTIN = Recipe(
    stages=(
        Stage("layers", steps=10000, batch=4, side=96, rate=5e-3, layers=1.0),
        Stage(
            "steady",
            steps=4000,
            batch=4,
            side=128,
            rate=5e-4,
            picture=1.0,
            detail=0.5,
            strokes=0.2,
            still=0.3,
            pan=0.3,
            flicker=0.54,
        ),
        Stage(
            "gentle",
            steps=1500,
            batch=4,
            side=128,
            rate=2e-4,
            picture=1.0,
            detail=0.5,
            strokes=0.2,
            still=0.2,
            pan=0.2,
            flicker=0.44,
            each=True,
        ),
    )
)
"""How `builtin` was trained; about two hours on two CPU cores, half of it for the loss network."""


def shortened(divisor: int) -> Recipe:
    """Return the recipe with only one step and one style picture in `divisor`, at least one."""
    COUNT.check("The divisor", divisor)

    def less(count: int) -> int:
        return max(1, count // divisor)

    return replace(
        BUILTIN,
        stages=tuple(replace(stage, steps=less(stage.steps)) for stage in BUILTIN.stages),
        pool=less(BUILTIN.pool),
        predictor_steps=less(BUILTIN.predictor_steps),
        lessons=tuple(replace(each, steps=less(each.steps)) for each in BUILTIN.lessons),
    )
