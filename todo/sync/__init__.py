"""What keeps clients and server in step, for any entity."""
