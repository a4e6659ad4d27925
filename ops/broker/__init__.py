"""The embedded broker's users: issued from the registry, put in force, and watched."""
