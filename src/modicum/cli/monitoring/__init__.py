"""Files for Prometheus and Grafana, and the verb that writes them."""
