"""Mutation testing: change the product in small ways, and see if a test notices."""
