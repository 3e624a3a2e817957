"""Records: one `KEY=value` file each for HPS itself, clusters, hosts and operating systems."""
