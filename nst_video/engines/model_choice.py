"""Which model "auto" takes, and why."""

from dataclasses import dataclass
from pathlib import Path

from nst_video import weights
from nst_video.engines.tensorflow import has_gpu
from nst_video.settings import ModelOptions


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model's name and one sentence that says why it was chosen."""

    name: str
    reason: str


def choose_model(name: str = ModelOptions.model, models_dir: Path | None = None) -> ModelChoice:
    """Resolve "auto" to the best model that is at hand; any other name is kept.

    `magenta` where it is cached and a GPU is present, else `magenta-lite` where that is cached,
    else `builtin`, which every installation has.

    Raises:
        WeightsError: the folder that the user names is none, has no file of any model, or one that
            is not what it should be.
    """
    weights.check_models_dir(models_dir, whole=name == "auto")
    if name != "auto":
        return ModelChoice(name, "asked for")
    if weights.is_cached("magenta", models_dir) and has_gpu():
        return ModelChoice("magenta", "it is cached and a GPU is present")
    if weights.is_cached("magenta-lite", models_dir):
        return ModelChoice("magenta-lite", "it is cached")
    return ModelChoice("builtin", "no other model is cached")
