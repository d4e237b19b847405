"""Code as skeletons: what can be left out of a file without what it declares."""
