"""The offline path, see :func:`build_collection`."""

from persrv.build.pipeline import PARTS, BuildReport, build_collection, plan_build
from persrv.build.progress import Progress, Silent
from persrv.build.runner import StageReport

__all__ = ["PARTS", "BuildReport", "Progress", "Silent", "StageReport", "build_collection", "plan_build"]
