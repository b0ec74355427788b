"""Ruby: RSpec and minitest files."""
