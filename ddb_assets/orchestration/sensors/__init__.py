"""Sensors that keep tables fresh without a schedule, and one that tells what failed."""
