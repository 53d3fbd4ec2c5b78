"""Style transfer by optimization (Gatys et al., arXiv 1508.06576): slow, and of high quality.

`image.optimize_image` paints one picture, `gatys.GatysOptimizer` several with the same styles, and
`video.VideoPainter` paints video. The loss is `total_loss.TotalLoss`, a weighted sum of the
functions in `losses`; a new term goes there.
"""
