"""Points used and points lost: redeemed under the lock of their account, given back when nobody used them, expired."""
