"""The offline path, see :func:`build_collection`."""

from persrv.build.pipeline import BuildReport, build_collection
from persrv.build.progress import Progress, Silent

__all__ = ["BuildReport", "Progress", "Silent", "build_collection"]
