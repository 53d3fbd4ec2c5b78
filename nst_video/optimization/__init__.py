"""Painting by optimization (Gatys et al., arXiv 1508.06576): slow, and richer than fast networks.

Start with `image.optimize_image`, or `optimizer.GatysOptimizer` for pictures one after the other.
"""
