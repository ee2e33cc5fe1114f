"""What the staff's desk reads across features: lists with totals, and what waits for whom."""
