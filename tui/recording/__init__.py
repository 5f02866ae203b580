"""Record what the ports answer while an operator works, and show it again: pause, speed, seek.

What is recorded is data, not pixels: a replay runs the product's own screens, at any size and theme, on the answers
that stood at the time. So it can be walked through, and a test can take its picture.
"""
