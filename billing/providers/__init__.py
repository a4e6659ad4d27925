"""Payment providers: thin adapters behind one port, each speaking its provider's own protocol and signatures."""
