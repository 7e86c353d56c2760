"""What ranking reads of all points, column by column, in files beside an embedded engine."""
