"""Images: a signed manifest of every path, and one pack of the distinct contents; made, published, fetched, unpacked."""
