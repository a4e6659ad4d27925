"""Alipay, open platform."""
