"""The only room that knows django-q2: it rings the bell, starts the cluster, keeps it whole."""
