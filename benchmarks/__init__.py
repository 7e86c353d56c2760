"""How fast persrv is, always beside a named rival in the same run: ``python -m benchmarks``, see README.md."""
