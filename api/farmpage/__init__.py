"""The farmer's page as HTML: types in, text out. Pure."""
