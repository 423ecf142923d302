"""What people do with orders: draft, change, judge, confirm, end, ship."""
