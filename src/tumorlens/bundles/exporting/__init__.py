"""A bundle's graph in other programs' formats: translated operation by operation, or by Keras, and set against it.

Nothing here calls OpenVINO; :mod:`tumorlens.runtime.operations` reads the graph.
"""
