"""What the reader of an audit can do about a finding, with the agent that made the calls."""
