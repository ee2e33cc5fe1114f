"""Payment runs, instructions and files."""
