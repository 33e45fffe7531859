"""Local accounts: register, log in, change the password."""
