"""An independent reader of the B-EMR specification that checks the test vectors.

Every module names the chapter that it was written from. Nothing here was taken from the reference implementation.
"""
