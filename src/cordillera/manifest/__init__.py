"""`cordillera.yaml`: its model, its loader, its explanation."""
