"""The road: tor processes, onion services, client authorisation, Tor's circuit line."""
