"""The Alipay side of the gateway."""
