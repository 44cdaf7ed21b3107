"""Send thousands of SMS while all sorts of things break; see what became of each."""
