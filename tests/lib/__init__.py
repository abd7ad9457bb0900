"""What the tests with real programs share: the server, small clients, a DNS server, a sink."""
