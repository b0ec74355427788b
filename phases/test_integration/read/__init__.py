"""Read: the target file as bytes and as a syntax tree, and the request's red tests."""
