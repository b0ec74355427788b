"""PHP: PHPUnit files."""
