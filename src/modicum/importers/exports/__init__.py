"""What gateways and tracing services export, one file per format."""
