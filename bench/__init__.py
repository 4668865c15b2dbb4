"""``make bench``: what the product costs, in ratios that hold on any machine."""
