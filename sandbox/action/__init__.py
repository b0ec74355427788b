"""What a customer's GitHub Action does, scripted: it knows RSOLV by its public API alone."""
