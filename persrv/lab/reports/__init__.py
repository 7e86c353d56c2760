"""Reports: what an experiment asked, on what data, what came out, and what did not work."""
