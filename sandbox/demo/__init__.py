"""`make demo`: run a complete customer journey on real input, and check every step."""
