"""The vector index: one request language, an embedded engine and a server behind it."""
