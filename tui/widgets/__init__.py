"""Widgets shared by the screens. All of them draw lines of cells; ``canvas`` is where cells become strips."""
