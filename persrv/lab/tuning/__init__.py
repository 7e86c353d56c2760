"""Learning a recipe's weights from its own picks."""
