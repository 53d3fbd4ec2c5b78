"""The painters of the packaged style pictures, and the brushes they share."""
