"""What is sent out: pages and statements made from answers of `insights`. Nothing here asks the ledger."""
