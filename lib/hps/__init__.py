"""HPS, the Host Provisioning System: every decision and every effect; no web framework."""
