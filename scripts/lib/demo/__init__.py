"""Show the integration at work, step by step, each of them checked."""
