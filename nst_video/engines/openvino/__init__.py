"""The fused transformer on OpenVINO: the fastest way on a CPU, without TensorFlow."""
