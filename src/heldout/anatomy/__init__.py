"""The arithmetic inside a network, as numbers and formulas: it knows nothing of pictures, runs or pages.

Every function takes plain values or a network and gives frozen facts; what a reader sees of them is made in
`heldout.explaining`. Each number has a test that comes to it by another way.
"""
