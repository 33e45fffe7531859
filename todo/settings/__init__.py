"""Every environment variable, and what it may say."""
