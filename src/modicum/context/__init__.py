"""What calls were made of: blocks of every log and door in, segments, digests, kept counts and breaks out.

In one place, so that a conversation is the same whichever door it came through.
"""
