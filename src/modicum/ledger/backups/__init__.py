"""What gateways recorded, in one file and back."""
