"""Fair transfer learning on brain MRI. For research, not for diagnosis."""
