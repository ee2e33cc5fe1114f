"""Bank statements and the three-way proof."""
