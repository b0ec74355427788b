"""Pages of signing up: forms, codes, and the confirmation link of onboarding."""
