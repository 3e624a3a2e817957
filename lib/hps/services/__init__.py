"""The services of the IPS: dnsmasq, nginx and hps-api under supervisor, rendered from the records."""
