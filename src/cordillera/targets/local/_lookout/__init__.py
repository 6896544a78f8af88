"""The lookout of a failure domain: it acts while another is lost, and ends what is frozen in its own."""
