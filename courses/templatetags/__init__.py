"""Filters of the courses pages."""
