"""What is let in and how it is answered, as HTTP: paths, headers, bodies, pages of browsers."""
