"""What people are told, over which channel."""
