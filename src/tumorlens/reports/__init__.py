"""Results become tables, plots, an HTML report and a paragraph for a paper."""
