"""What is kept of points: what customers told, and which sale and which refund moved them."""
