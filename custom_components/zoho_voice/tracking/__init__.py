"""What became of the messages that went out, and what came in."""
