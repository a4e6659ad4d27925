"""What ``parking doctor`` looks at: the machine, the installation, the services while they run."""
