"""Courses that come from folders and archives of Markdown, and leave as such."""
