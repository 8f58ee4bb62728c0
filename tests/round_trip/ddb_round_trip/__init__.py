"""Items put into DynamoDB, and the same items as every surface of a published table shows them."""
