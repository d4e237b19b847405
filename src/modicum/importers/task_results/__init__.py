"""Results of tasks as evaluation tools and tables have them, recognised from their content. One file per source."""
