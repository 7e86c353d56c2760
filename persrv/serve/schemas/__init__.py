"""What the service takes and gives, as JSON. Field names are those of the Python API."""
