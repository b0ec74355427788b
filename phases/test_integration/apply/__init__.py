"""Apply: puts planned text into a file's bytes. Every byte that was there stays."""
