"""What is asked of all facts: how complete they are, which months and branches they are of, what they add up to."""
