"""What any network computes and keeps: parameters, operations, memory, receptive fields."""
