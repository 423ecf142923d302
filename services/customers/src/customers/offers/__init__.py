"""Offers to patients: designed here, paid by a promotion plan of finance, published by two approvals, ended with their cost."""
