"""Comparing two rankings on the people who use them: who sees what, whom a pick speaks for, and when that is enough."""
