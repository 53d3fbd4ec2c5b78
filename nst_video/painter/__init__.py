"""Painting by optimization (Gatys et al. 2015, arXiv 1508.06576): slow, and richer than any network.

Start with `image.paint_image`, or `optimizer.GatysOptimizer` for pictures one after the other.
"""
