"""One file per family of networks; each lists its networks in ``SPECS``."""
