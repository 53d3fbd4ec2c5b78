"""Long jobs that can be resumed in another process: cut into chunks, with a journal of them.

`chunks` cuts, `fingerprint` tells whether finished work still fits, `journal` keeps it.
"""
