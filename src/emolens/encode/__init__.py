"""Texts to tokens to vectors. `tokenise`, `batches` and `engines` load no torch by themselves."""
