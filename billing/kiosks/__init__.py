"""What people find at a payment kiosk, and what kiosks tell of themselves."""
