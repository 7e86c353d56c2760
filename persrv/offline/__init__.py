"""The offline path, see :func:`build_collection`."""

from persrv.indexing.progress import Progress, Silent
from persrv.offline.pipeline import PARTS, BuildReport, build_collection, plan_build
from persrv.offline.runner import StageReport

__all__ = ["PARTS", "BuildReport", "Progress", "Silent", "StageReport", "build_collection", "plan_build"]
