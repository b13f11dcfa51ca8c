"""What a machine can compute with, one file per vendor: ``parse`` is pure, ``probe`` reads the machine."""
