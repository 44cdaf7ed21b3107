"""What the scripts share; run with `python -m` from the repository's root."""
