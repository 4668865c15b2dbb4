"""From a host's text to a published track: plan, synthesize, stitch, publish."""
