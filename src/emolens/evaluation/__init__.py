"""How right the scores are, how sure of that one can be, and where they fail."""
