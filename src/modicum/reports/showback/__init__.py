"""What each team, client or app owes for a month: by rules that the statement states. Sums are the bill's."""
