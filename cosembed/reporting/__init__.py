"""Pictures, tables and reports. Know results and files, not how they were made."""
