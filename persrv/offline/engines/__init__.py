"""What the reading stages run on: this process, or the machines of a Ray cluster."""

from persrv.offline.engines.engine import Engine, engine_named
from persrv.offline.engines.local import LocalEngine
from persrv.offline.engines.on_ray import RayEngine

__all__ = ["Engine", "LocalEngine", "RayEngine", "engine_named"]
