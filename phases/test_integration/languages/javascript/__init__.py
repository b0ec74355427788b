"""JavaScript and TypeScript: Jest, Vitest and Mocha files."""
