"""HTTP plumbing shared by both doors: who acts, what is allowed, how refusals look."""
