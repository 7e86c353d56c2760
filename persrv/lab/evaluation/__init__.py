"""Measuring whether answers are good, and which part earns it."""
