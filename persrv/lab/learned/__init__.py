"""Rankings that are learnt from picks, on the parts of the score; in the evaluation only."""
