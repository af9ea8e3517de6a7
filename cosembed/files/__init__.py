"""Small tools for any file: writing that is complete or absent, reading what anyone may have made, and
progress.

They know no format and nothing of the method.
"""
