"""All that knows HTTP, but for handlers."""
