"""Cases: stages, parties, milestones and agreements."""
