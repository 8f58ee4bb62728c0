"""Moving a Glue table or view to a verified export, by compare-and-swap."""
