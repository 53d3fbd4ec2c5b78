"""What the frames of a stylizer depend on, to tell whether finished work can be used."""

from collections.abc import Mapping
from dataclasses import asdict

from nst_video.engines import Engine
from nst_video.frames import Floats
from nst_video.jobs.fingerprint import digest_of_array
from nst_video.networks.models import StyleModel
from nst_video.settings import ModelOptions, StylizeSettings


def describe_painting(
    settings: StylizeSettings,
    options: ModelOptions,
    network: tuple[StyleModel, Engine, Floats] | None,
) -> Mapping[str, object]:
    """Return settings, style, network and what computes it, as plain values.

    Args:
        settings: how the result looks.
        options: which network paints.
        network: the loaded model, its engine and the style vector; None where nothing is painted.
    """
    if network is None:
        return {"look": asdict(settings)}
    model, engine, style = network
    return {
        "look": asdict(settings),
        "style": digest_of_array(style),
        "model": model.transformer_key,
        "style_predictor": None if settings.intensity == 1 else model.predictor.key,
        "engine": f"{engine.name} on {engine.device.name} in {engine.device.dtype}",
        "tile": options.tile,
    }
