"""The programs that the installer and the installed node start; the installer image must hold those of PROGRAMS."""

PROGRAMS = ("busybox", "openssl", "zstd", "sfdisk", "mke2fs", "mkfs.fat")
"""Each by name in the search path. The real mke2fs and sfdisk: BusyBox's mke2fs makes no ext4."""

APPLETS = ("blkdiscard", "cttyhack", "env", "hwclock", "ip", "mount", "reboot", "setsid", "sh", "udhcpc", "umount")
"""Applets of BusyBox that are called by their own name; the installer image links them."""

NODE_PROGRAMS = ("hostname", "ssh-keygen", "udevadm")
"""What the installed node is asked for beyond its base; each may be missing, and is then done without."""
