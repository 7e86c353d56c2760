"""From the catalog to the index: all points at a build, a few in place."""
