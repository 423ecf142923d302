"""What people do with bank lines and months: match, take back, complete, close."""
