"""The account: change its sender ID, and every option."""

from .step import Step

STEPS: list[Step] = []
