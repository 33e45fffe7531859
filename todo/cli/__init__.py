"""The command ``todo``."""
