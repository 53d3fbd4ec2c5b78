"""How the `builtin` networks were trained, and how anyone trains them again on their own pictures.

Keras on TensorFlow: of the backends it trains these small networks fastest on a CPU. Everything is
drawn from `numpy.random.default_rng((seed, step))`, so a run that was stopped goes on as if it
had not been.
"""
