"""The first host app: courses, lessons, authors and learners. The plugin never imports it."""
