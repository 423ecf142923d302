"""Apotheca on one machine without containers: private servers, the five services, the command line."""
