"""The formulas, pure NumPy: the reference that the engines are tested against."""
