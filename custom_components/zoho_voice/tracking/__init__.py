"""What became of messages, and what was answered."""
