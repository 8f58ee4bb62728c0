"""What people do and ask beside a refresh: adopt, roll back, prune, status, health."""
