"""`nst-video devices`: list the cameras."""

from collections.abc import Iterator

import typer

from nst_video.cli.console import result


def devices() -> None:
    """List the cameras: number, name, frame size."""
    from nst_video.video.capture.devices import NO_CAMERA

    lines = list(describe_cameras())
    for line in lines:
        result(line)
    if lines == [NO_CAMERA]:
        raise typer.Exit(1)


def describe_cameras() -> Iterator[str]:
    """Yield a line for each camera, or one line if there is none."""
    from nst_video.video.capture.devices import NO_CAMERA, list_cameras, measure

    cameras = [measure(camera) for camera in list_cameras()]
    for camera in cameras:
        size = "in use or not readable" if camera.size is None else "{}x{}".format(*camera.size)
        yield f"{camera.number}: {camera.name}, {size}"
    if not cameras:
        yield NO_CAMERA
