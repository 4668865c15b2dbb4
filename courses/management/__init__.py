"""Commands of the courses app."""
