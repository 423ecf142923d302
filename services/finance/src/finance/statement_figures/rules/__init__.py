"""What a financial statement says: forms, cash flows, changes in equity, and the content made of figures."""
