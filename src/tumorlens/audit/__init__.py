"""What is wrong with a data set: copies, leaks, shortcuts, the price of leakage. Judges data, not networks."""
