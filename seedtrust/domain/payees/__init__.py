"""Who can be paid, and the approval of where."""
