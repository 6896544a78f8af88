"""What every part of Cordillera leans on; knows nothing of clouds."""
