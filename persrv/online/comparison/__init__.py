"""Two rankings shown to people at once: who sees which, and in what order."""
