"""Feature stores: point-in-time joins, serving and skew on the real Feast."""
