"""modicum inside a user's process: adapters to frameworks, one file each. Every framework is an extra of its own."""
