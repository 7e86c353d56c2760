"""The reading stages, one file each."""
