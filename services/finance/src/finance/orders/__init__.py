"""Sales orders from the price list to the shipment by lot; nothing leaves past the gate."""
