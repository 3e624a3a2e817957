"""What a machine knows about itself while it is installed and after: arguments, configuration, clock, report."""
