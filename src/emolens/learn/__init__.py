"""The models that learn from the training split: baselines, a probe, a fine-tuned encoder."""
