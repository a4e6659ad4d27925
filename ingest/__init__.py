"""From the broker to the database: messages become readings, readings become sessions."""
