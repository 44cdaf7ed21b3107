"""The way out of a message: limits, requests, and what waits."""
