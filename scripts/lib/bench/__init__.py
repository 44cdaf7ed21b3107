"""Measures the integration beside others, in a real core (scripts/bench)."""
