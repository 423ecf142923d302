"""The statements that hold and change contracts, their amendments, and what orders hold of them."""
