"""What the neural engines share: devices, faults of memory, quiet imports, safe checkpoints.

Importing these modules loads none of the neural libraries; their functions do.
"""
