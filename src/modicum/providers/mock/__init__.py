"""A provider to try everything with, without a key and without a network: what it answers, in every dialect.

Replies have the shapes of the real ones (tests read them with the official clients), the sizes that were wanted, and
usage with cache buckets, by the rules that the providers state. Words stand for tokens. Same provider, same requests in
the same order: same answers. A server around it only sends what stands in a `MockReply`.
"""
