"""The WeChat Pay API v3 side of the gateway."""
