"""A trained model folder made ready for serving, and held against the model it came from."""
