"""Every environment variable: its name, its default, its bounds and its meaning."""
