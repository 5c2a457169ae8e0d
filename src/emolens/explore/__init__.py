"""Looking at the embedding space before anything is trained on it."""
