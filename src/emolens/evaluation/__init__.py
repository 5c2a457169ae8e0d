"""How often the scores are right, how certain those figures are, and where the scores fail."""
