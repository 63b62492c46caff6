"""HTTP, served by FastAPI."""
