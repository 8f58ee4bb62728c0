"""The only place that imports boto3: sessions, gateways and error mapping."""
