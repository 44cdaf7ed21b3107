"""How Zoho is reached: the client session, and access tokens."""
