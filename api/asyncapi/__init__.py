"""What moves between the service and the others, as one AsyncAPI document."""
