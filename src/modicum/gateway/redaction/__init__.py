"""Secrets and personal data that do not leave, for owners who chose it (docs/redaction.md)."""
