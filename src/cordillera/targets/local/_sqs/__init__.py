"""The queue's front: the SQS protocol over the environment's database. Any number may run side by side."""
