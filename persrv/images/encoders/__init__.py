"""Image encoders that need packages of their own; :mod:`persrv.images.registry` finds them by name."""
