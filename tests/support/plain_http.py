"""For clients of servers on this machine, with which nobody speaks TLS."""

import ssl

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""To be given as `verify`: else each client reads the certificates of all authorities, which takes longer than what it asks."""
