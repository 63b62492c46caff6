"""What `songtien bench` measures: the program as it is run, beside the broker's own clients."""
