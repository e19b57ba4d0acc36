"""The command line: one thin file a command. Computes nothing."""
