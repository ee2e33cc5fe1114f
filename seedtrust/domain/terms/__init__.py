"""Contract terms and the schedule that follows from them."""
