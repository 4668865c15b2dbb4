"""Jobs, workers and wording on one database: ``python -m bench.jobs``, once for each."""
