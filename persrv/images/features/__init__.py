"""The groups of features that make up the style descriptor, one module a subject."""
