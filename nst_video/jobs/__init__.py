"""Long jobs that survive their process: cut into chunks, with a journal of what is finished.

`chunks` cuts, `fingerprint` tells whether finished work still fits, `journal` keeps it.
"""
