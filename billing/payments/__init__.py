"""The flow of a payment: asked for, sent, heard of, followed until nothing about it is open."""
