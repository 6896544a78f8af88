"""The balancer: TLS, health and draining; follows from the public service."""
