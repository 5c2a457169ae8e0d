"""A table of labelled texts: where it comes from, what it holds, what is wrong with it."""
