"""The staff admin site: access, registration of pages, and the audit log of what staff change."""
