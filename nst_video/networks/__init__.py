"""The networks, in Keras 3 with `keras.ops` only, and how public checkpoints map onto them."""
