"""What calls are measured with: token counts, digests, prices, and the providers' cache rules. No sockets."""
