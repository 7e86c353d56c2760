"""Answering: from a query and a user to a page of hits, and from a pick to a moved profile."""
