"""Styles: packaged ones, the user's own, any image file; their bottlenecks and refined parameters.

`library.StyleLibrary` is the way in: `folder` lists the styles of a folder, `bottlenecks` and
`bottleneck_cache` hold what the style predictor computes, `refined_styles` and `masters` the style
parameters that replace it.
"""
