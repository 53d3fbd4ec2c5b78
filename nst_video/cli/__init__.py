"""The `nst-video` command: one module a command group, assembled here."""
