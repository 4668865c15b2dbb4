"""The child's side: engines, and the loop that hosts one in a process of its own.

Nothing here knows Django: an engine may live in a virtual environment without it. Write a new
engine by subclassing ``narration.engines.base.Engine`` and testing it with
``narration.testing.EngineContractTests``.
"""
