"""Passes sold online: offers, orders, their payment, what of it is earned when, and what goes back."""
