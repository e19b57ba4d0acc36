"""What runs in a child process: everything that needs Keras or NNCF.

Only :mod:`tumorlens.runtime.jobs` starts it, as ``python -m tumorlens.runtime.children FOLDER``. No other module
may import these.
"""
