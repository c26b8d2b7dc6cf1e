"""Practice: interview questions answered with this machine's measurements, a design on a canvas,
and what returns tomorrow.
"""
