"""Which slices of which patient are made, so that the heights of both classes match.

All heights at which a patient can be cut are known before anything is drawn; those with and without tumour are then
chosen together, so that in every height band tumour slices have the same share. Knows nothing about grey levels.
"""

from __future__ import annotations
