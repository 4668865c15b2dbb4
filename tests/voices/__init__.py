"""Voices of persons: consent, recordings, latents, and how all of it ends."""
