"""The silhouette: how full, how soft, how compact."""

from __future__ import annotations

import numpy as np

from persrv.images.features.group import FeatureGroup, Values
from persrv.images.features.raster import MARGIN, SIDE, Raster

_CORNER = 8
_DEEP = (3, 5, 8, 12)


def _shape(raster: Raster) -> Values:
    alpha, depth = raster.alpha, raster.depth
    area = max(int((depth > 0).sum()), 1)
    perimeter = int((depth == 1).sum())
    partial = int(((alpha > 0.05) & (alpha < 0.95)).sum())
    visible = alpha[alpha > 0.05]
    near, far = slice(MARGIN, MARGIN + _CORNER), slice(SIDE - MARGIN - _CORNER, SIDE - MARGIN)
    corners = sorted(float(alpha[rows, columns].mean()) for rows in (near, far) for columns in (near, far))
    return np.array(
        [
            raster.total / (SIDE - 2 * MARGIN) ** 2,
            min(partial / max(perimeter, 1) / 3, 2.0),
            np.clip(np.log(max(perimeter, 1) ** 2 / area / 12) / 3, -1, 2),
            raster.aspect,
            float(visible.mean()) if visible.size else 0.0,
            int(((alpha > 0.05) & (alpha < 0.6)).sum()) / SIDE**2,
            *corners,
            *(int((depth >= step).sum()) / area for step in _DEEP),
        ],
        np.float32,
    )


GROUPS = (
    FeatureGroup(
        "shape",
        (
            "coverage of the raster",
            "softness of the border: partly transparent pixels, over 3 × the contour's length",
            "raggedness: logarithm of contour² ÷ area, shifted",
            "aspect ratio, shorter over longer side",
            "mean alpha of what is visible",
            "share of faint pixels (alpha 0.05 to 0.6)",
            *(
                f"coverage of the {which} corner"
                for which in ("emptiest", "second emptiest", "second fullest", "fullest")
            ),
            *(f"share of the drawing at depth {step} or more" for step in _DEEP),
        ),
        -1,
        2,
        _shape,
    ),
)
