"""A river, a bridge and recorded feeds that play the part of devices."""
