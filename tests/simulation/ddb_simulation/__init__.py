"""A simulated AWS on a virtual clock, a Dagster that restarts, and an audit of the promises."""
