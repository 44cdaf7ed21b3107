"""The dialogs that open from an account."""
