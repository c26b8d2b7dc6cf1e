"""What an audit looks for, sorted by what a detector reads: columns, splits, the clock."""
