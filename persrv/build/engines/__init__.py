"""What the reading stages run on: this process, or the machines of a Ray cluster."""

from persrv.build.engines.engine import Engine, engine_named
from persrv.build.engines.local import LocalEngine
from persrv.build.engines.on_ray import RayEngine

__all__ = ["Engine", "LocalEngine", "RayEngine", "engine_named"]
