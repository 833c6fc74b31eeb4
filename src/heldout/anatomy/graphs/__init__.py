"""Computation graphs: values, derivatives either way, and what each costs."""
