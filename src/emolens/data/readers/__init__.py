"""The one reader of tables, for learning, encoding and predicting: open.py opens them."""
