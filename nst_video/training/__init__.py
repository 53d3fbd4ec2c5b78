"""Trains the `builtin` networks by distillation, on one's own pictures.

`runs` trains the style transformer, the style predictor and the loss network, `loop` has the
training loop, `config` the configurations. It uses Keras on TensorFlow, which trains these small
networks faster on a CPU than the other backends. Step n draws its batch from
`numpy.random.default_rng((seed, n))`, so that a resumed run gives the same weights.
"""
