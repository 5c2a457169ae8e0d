"""Pictures, the report and the model card: what others have computed, made visible."""
