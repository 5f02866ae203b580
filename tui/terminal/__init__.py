"""The terminal itself: driver with back-pressure, signals, sanitiser, clipboard, stray output of native libraries.

The only package that touches private parts of Textual; ``tests/tui/terminal/test_private_api.py`` guards each of them.
"""
