"""Paints one picture of any size by optimization.

network = load_loss_network("builtin")
style = StylePicture(load_picture(Path("wave.jpg")))
optimizer = GatysOptimizer(network, [style], PaintSettings())
painted = optimize_image(load_picture(Path("photo.jpg")), optimizer).frame
"""

from collections.abc import Callable
from dataclasses import replace

from nst_video.frames import Frame, fit_short_side, size_of
from nst_video.image.detail import restore_detail
from nst_video.image.resize import resize_area
from nst_video.optimization.gatys import GatysOptimizer, OnPicture, OnStep
from nst_video.optimization.painting import Painting, to_unit
from nst_video.optimization.size_limit import available_bytes, fit_to_memory

OnNote = Callable[[str], None]


def optimize_image(
    content: Frame,
    optimizer: GatysOptimizer,
    *,
    work_size: int | None = None,
    memory_bytes: int | None = None,
    on_step: OnStep | None = None,
    on_picture: OnPicture | None = None,
    on_note: OnNote | None = None,
) -> Painting:
    """Paint a picture in one style or several, at its own size.

    Where it is painted at a smaller size, the result is enlarged and the content's fine detail is
    restored.

    Args:
        content: RGB uint8 (h, w, 3).
        optimizer: has the styles, the loss network and the settings. Where these transfer colors
            to the styles, they are those of `content`.
        work_size: maximum short side, in pixels, at which to paint; None for the picture's own.
        memory_bytes: memory limit; None for a share of what is available.
        on_step: see `gatys.OnStep`.
        on_picture: see `gatys.OnPicture`.
        on_note: called with a sentence if memory limits the size.

    Returns:
        The painting, of the size of `content`.

    Raises:
        UsageError: the picture is too small.
    """
    wanted = size_of(content) if work_size is None else fit_short_side(size_of(content), work_size)
    budget = available_bytes() if memory_bytes is None else memory_bytes
    size = fit_to_memory(optimizer.network, optimizer.layers, wanted, budget)
    if size != wanted and on_note:
        on_note(
            f"Memory limits painting to {size[0]}x{size[1]} instead of {wanted[0]}x{wanted[1]}. "
            "Fine detail is restored."
        )
    small = resize_area(content, size)
    optimizer.set_color_reference(small)
    painting = optimizer(small, on_step=on_step, on_picture=on_picture)
    if size == size_of(content):
        return painting
    return replace(painting, picture=to_unit(restore_detail(painting.frame, content, small)))
