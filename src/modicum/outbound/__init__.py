"""HTTP to hosts that a person named. Nothing else in modicum opens a connection to a model server.

Two clients: `keepalive` for programs that run on (with `client` in front of it, for a few requests by address), and
`blocking` for one question of a command. Which host, with which trust, is an `Origin` (`hosts`), and no client follows
a redirect, keeps a cookie or takes a proxy from the environment: a request goes to the named host or nowhere.
"""
