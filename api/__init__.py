"""What people and screens read: the live socket, HTTP and the pages."""
