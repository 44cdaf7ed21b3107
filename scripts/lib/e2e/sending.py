"""Send SMS from Tools → Actions."""

from .step import Step

STEPS: list[Step] = []
