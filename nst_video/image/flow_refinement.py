"""Variational refinement of optical flow: Brox et al. 2004 (doi 10.1007/978-3-540-24673-2_3).

The flow gets smooth, except where it has edges, and so that brightness and its slopes agree. Terms
are weighted as in `cv2.VariationalRefinement` (after Kroeger et al. 2016, arXiv 1603.03590), which
takes three times as long: here, neighbors in a row are updated at once, and rows alternately.
"""

import cv2
import numpy as np

from nst_video.frames import Floats, Luma
from nst_video.image.optical_flow import Flow, warp
from nst_video.system.compiled import compiled

SMOOTHNESS, BRIGHTNESS, SLOPES = (np.float32(each) for each in (10.0, 1.0, 5.0))
"""Weights of the terms."""

REWEIGHTINGS, SWEEPS, RELAXATION = 4, 4, np.float32(1.6)
"""Times that the weights are computed, and that the system is relaxed for each."""

_0, _1 = np.float32(0), np.float32(1)
_EPSILON, _ZETA = np.float32(1e-6), np.float32(0.01)  # squares of what keeps terms finite


def refine(flow: Flow, a: Luma, b: Luma) -> Flow:
    """Return a flow refined.

    Args:
        flow: from `a` to `b`, float32 (h, w, 2).
        a: brightness, uint8 (h, w).
        b: likewise.
    """
    first = a.astype(np.float32)
    second = warp(b.astype(np.float32), flow)
    mean, change = (first + second) * np.float32(0.5), second - first
    across, down = _slope(mean, 0), _slope(mean, 1)
    slopes = (across, down, change, _slope(across, 0), _slope(across, 1), _slope(down, 1))
    terms = np.stack([*slopes, _slope(change, 0), _slope(change, 1)])
    halves = _halves(np.moveaxis(flow, -1, 0))
    _minimize(_halves(terms), halves)
    return _whole(halves, flow.shape[1])


def _halves(fields: Floats) -> Floats:
    """Return even and odd columns of fields (n, h, w) apart, in a border: (n, 2, h + 2, w / 2 + 2).

    So the colors of a checkerboard are neighbors in memory.
    """
    count, height, width = fields.shape
    halves = np.zeros((count, 2, height + 2, (width + 1) // 2 + 2), np.float32)
    halves[:, 0, 1:-1, 1:-1] = fields[..., ::2]
    halves[:, 1, 1:-1, 1 : 1 + width // 2] = fields[..., 1::2]
    return halves


def _whole(halves: Floats, width: int) -> Flow:
    """Return the flow (h, w, 2) of its halves."""
    flow = np.empty((halves.shape[2] - 2, width, 2), np.float32)
    flow[:, ::2] = np.moveaxis(halves[:, 0, 1:-1, 1:-1], 0, -1)
    flow[:, 1::2] = np.moveaxis(halves[:, 1, 1:-1, 1 : 1 + width // 2], 0, -1)
    return flow


def _slope(field: Floats, axis: int) -> Floats:
    """Return the difference of the neighbors at both sides, along one axis."""
    return np.asarray(cv2.Sobel(field, cv2.CV_32F, 1 - axis, axis, ksize=1), np.float32)


@compiled
def _minimize(terms: Floats, flow: Floats) -> None:
    """Change a flow, in halves, to one that minimizes the energy."""
    start = flow.copy()
    _, _, height, width = flow.shape
    # Of each pixel: weights of the edges to the right and down, and its two equations.
    system = np.zeros((7, 2, height, width), np.float32)
    for _ in range(REWEIGHTINGS):
        for y in range(1, height - 1):
            for half in range(2):
                _weigh_smoothness(flow, system, half, y)
                _weigh_data(terms, start, flow, system, half, y)
        for _ in range(SWEEPS):
            for color in range(2):
                for y in range(1, height - 1):
                    _relax(flow, system, (y + color) % 2, y)


@compiled
def _weigh_smoothness(flow: Floats, system: Floats, half: int, y: int) -> None:
    """Set the weights of the edges of a row."""
    _, _, height, width = flow.shape
    u, v = flow[0, half, y], flow[1, half, y]
    u_right, v_right = flow[0, 1 - half, y, half:], flow[1, 1 - half, y, half:]
    u_below, v_below = flow[0, half, y + 1], flow[1, half, y + 1]
    across, down = system[0, half, y], system[1, half, y]
    for x in range(1, width - 1):
        a, b = u_right[x] - u[x], v_right[x] - v[x]
        c, d = u_below[x] - u[x], v_below[x] - v[x]
        across[x] = SMOOTHNESS / np.sqrt(a * a + b * b + c * c + d * d + _EPSILON)
        down[x] = across[x]
    if half == 1:
        across[width - 2], down[width - 2] = _0, down[width - 3]
    if y == height - 2:
        down[:] = _0


@compiled
def _weigh_data(
    terms: Floats, start: Floats, flow: Floats, system: Floats, half: int, y: int
) -> None:
    """Set the equations of a row that make brightness and slopes agree."""
    gx, gy, gz, gxx = terms[0, half, y], terms[1, half, y], terms[2, half, y], terms[3, half, y]
    gxy, gyy, gxz, gyz = terms[4, half, y], terms[5, half, y], terms[6, half, y], terms[7, half, y]
    m, n, o = system[2, half, y], system[3, half, y], system[4, half, y]
    p, q = system[5, half, y], system[6, half, y]
    u, v, u_start, v_start = (
        flow[0, half, y],
        flow[1, half, y],
        start[0, half, y],
        start[1, half, y],
    )
    for x in range(1, len(u) - 1):
        du, dv = u[x] - u_start[x], v[x] - v_start[x]
        ax, ay, az = gx[x], gy[x], gz[x]
        norm = ax * ax + ay * ay + _ZETA
        error = az + ax * du + ay * dv
        weight = BRIGHTNESS / (np.sqrt(error * error / norm + _EPSILON) * norm)
        bxx, bxy, byy, bxz, byz = gxx[x], gxy[x], gyy[x], gxz[x], gyz[x]
        s, t = _1 / (bxx * bxx + bxy * bxy + _ZETA), _1 / (byy * byy + bxy * bxy + _ZETA)
        e, f = bxz + bxx * du + bxy * dv, byz + bxy * du + byy * dv
        slopes = SLOPES / np.sqrt(e * e * s + f * f * t + _EPSILON)
        s, t = s * slopes, t * slopes
        uu = weight * ax * ax + bxx * bxx * s + bxy * bxy * t + _ZETA
        uv = weight * ax * ay + bxx * bxy * s + bxy * byy * t
        vv = weight * ay * ay + bxy * bxy * s + byy * byy * t + _ZETA
        m[x], n[x], o[x] = uu, uv, vv
        right_u = weight * az * ax + bxx * bxz * s + bxy * byz * t
        right_v = weight * az * ay + bxy * bxz * s + byy * byz * t
        p[x] = uu * u_start[x] + uv * v_start[x] - right_u
        q[x] = uv * u_start[x] + vv * v_start[x] - right_v


@compiled
def _relax(flow: Floats, system: Floats, half: int, y: int) -> None:
    """Bring one half of a row closer to the solution, by successive over-relaxation."""
    u, u_above, u_below = flow[0, half, y], flow[0, half, y - 1], flow[0, half, y + 1]
    v, v_above, v_below = flow[1, half, y], flow[1, half, y - 1], flow[1, half, y + 1]
    # The neighbors at the left and right of number x are in the other half: x and x + 1 of these.
    u_side, v_side = flow[0, 1 - half, y, half:], flow[1, 1 - half, y, half:]
    left, right = system[0, 1 - half, y, half:], system[0, half, y]
    above, below = system[1, half, y - 1], system[1, half, y]
    m, n, o = system[2, half, y], system[3, half, y], system[4, half, y]
    p, q = system[5, half, y], system[6, half, y]
    for x in range(1, len(u) - 1):
        a, b, c, d = left[x - 1], right[x], above[x], below[x]
        total = a + b + c + d
        sum_u = a * u_side[x - 1] + b * u_side[x] + c * u_above[x] + d * u_below[x] + p[x]
        sum_v = a * v_side[x - 1] + b * v_side[x] + c * v_above[x] + d * v_below[x] + q[x]
        new = u[x] + RELAXATION * ((sum_u - n[x] * v[x]) / (m[x] + total) - u[x])
        u[x] = new
        v[x] += RELAXATION * ((sum_v - n[x] * new) / (o[x] + total) - v[x])
