"""What LSTTA is compared with, behind the same interface: one file each, registered in ``builtin_plugin``."""
