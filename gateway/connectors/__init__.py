"""The apps that the gateway reaches: the connector format, what runs it, and the HTTP below."""
