"""The books: double entry in whole cents, nothing ever changed or deleted."""
