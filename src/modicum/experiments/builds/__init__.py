"""Changes of a project, checked when it is built: what its tasks take before and after."""
