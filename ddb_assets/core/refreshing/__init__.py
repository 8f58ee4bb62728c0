"""The refresh from declaration to publication, for one table and for a run of many."""
