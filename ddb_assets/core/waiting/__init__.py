"""When to ask about an export, for how many tables at once, and what its end means."""
