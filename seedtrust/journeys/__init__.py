"""Playing whole journeys through the application's own verbs and job handlers."""
