"""Reading pictures: the text in them, and what they mean."""
