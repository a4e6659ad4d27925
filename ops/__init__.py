"""Running the installation: the command line, the embedded services, the jobs. Nobody imports this floor."""
