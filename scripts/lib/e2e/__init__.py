"""The real UI of Home Assistant, used as a person would, in a real browser."""
