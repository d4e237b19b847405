"""Which calls somebody looks at, and from when until when."""
