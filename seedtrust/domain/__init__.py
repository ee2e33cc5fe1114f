"""The features: framework-free verbs, reads, tables and life cycles."""
