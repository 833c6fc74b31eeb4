"""What half-planes, threshold neurons and ReLU networks of two inputs cut out of the plane."""
