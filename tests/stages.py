"""The stages of a study that names no repository to push to."""

from __future__ import annotations

from emolens.study import stages

STAGES = [stage for stage in stages.STAGES if stage != "push"]
