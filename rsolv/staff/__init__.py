"""The staff admin: who gets in, what its pages may show, and what is written down of what they change."""
