"""Users, sessions and factors."""
