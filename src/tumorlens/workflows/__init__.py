"""What the command line and Python call: import, compare, train, demo."""
