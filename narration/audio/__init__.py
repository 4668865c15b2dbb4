"""Sound as pure functions: from sentence waveforms to a lesson's audio, captions and pictures.

Nothing here knows Django, files or the database. Samples are mono float32 in [-1, 1]; times are
integer milliseconds; every function is linear in the length of the sound.
"""
