"""From texts to tokens to vectors. `tokenise` and `batches` are light; the others load torch."""
