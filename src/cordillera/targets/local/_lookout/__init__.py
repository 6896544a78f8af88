"""The lookout of a failure domain: it asks the others whether they run, and acts while one is lost."""
