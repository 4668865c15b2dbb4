"""Databases that are made for a run and dropped after it."""

import os
from contextlib import contextmanager


@contextmanager
def make_database(folder: str, server: str):
    """The URL of an empty database: on ``server`` (PostgreSQL), or a file where that is ""."""
    if not server:
        yield f"sqlite:///{folder}/db.sqlite3"
        return
    import psycopg

    name = f"narration_bench_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as link:
        link.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            link.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
