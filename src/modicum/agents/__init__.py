"""Teams of agents: who adds nothing, when to stop, and whether dropping them did harm.

The parts, in the order in which a team meets them: a `TeamGraph` says who may read whom; a `RecordedTeam` is what its
runs left behind; `attribution` reads from them what can be read without a model call; a learner or `proposal` turns
that into a `Plan`; `plan.guard()` is what runs beside the agents; `verification` compares. Arrays and nouns only: no
file, no socket, no model is touched here.
"""
