"""The style transformer rewritten for speed: other convolutions, same output up to rounding."""
