"""The boot timeline: what each machine did, boot by boot, and which step is missing."""
