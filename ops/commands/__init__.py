"""The commands, one module for each subject; ``ops.cli`` loads a module when one of its commands is called."""
