"""One module and one SQL file for each version of a metric; what lies here is found, and listed nowhere."""
