"""Pictures: from a recipe to a job as all kinds of run go, and one loop that fits it."""
