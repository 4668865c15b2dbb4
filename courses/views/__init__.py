"""Pages: what learners read, and what authors write. Strangers get 404, never 403."""
