"""The REST server of the engine: HTTP/1.1, HTTP/2 (h2c by upgrade and prior knowledge, or TLS) and web socket."""
