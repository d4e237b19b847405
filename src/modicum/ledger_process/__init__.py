"""The ledger process: owns the ledger, ships journals into it, and answers over HTTP. Never imports the gateway."""
