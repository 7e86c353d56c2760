"""Research: evaluation, experiments, tuning. An extra; neither serving nor building needs it."""
