"""What pages and programs change: each on behalf of a viewer who may, checked here, and on record in the log."""
