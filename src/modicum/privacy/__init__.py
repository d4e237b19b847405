"""What must not leave: secrets and personal data, found by their shapes. Values are counted and never kept."""
