"""DynamoDB attribute types, inference over an export, Athena types, names and DDL."""
